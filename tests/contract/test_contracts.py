"""Two promises about contracts, kept by the fakes in memory and by the adapters on real databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from core.ports import Billing, LegacyContracts, Rejected, Unavailable
from core.subscriptions import Access, AddOn, Provision, Subscription, Term, Use
from core.tenancy import TransactionOpenError
from portal.adapters.billing import PostgresBilling
from portal.adapters.contracts import PostgresContracts
from portal.demo import newplatform
from tests import airline
from tests.databases import Platforms
from tests.fakes.contracts import FakeBilling, FakeContracts

CONTRACT = Subscription(
    plan="OPS-PRO",
    plan_name="Operations Pro",
    price=145_000,
    currency="USD",
    limits={"seats": 60, "flights_per_year": None},
    addons=(AddOn("CREW-SMS", "Crew messages", 5_000, 4_500), AddOn("WX-FEED", "Weather feed", 1, 12_000)),
    terms=(Term("kept-price", date(2027, 12, 31)),),
)
ORDERED = Subscription(
    plan="professional",
    plan_name="Professional",
    price=145_000,
    currency="USD",
    limits={"api_calls_per_day": 100_000, "flights_per_year": None, "members": 60},
    addons=(AddOn("crew-messages", "Crew messages", 5, 4_500), AddOn("weather", "Weather feed", 1, 12_000)),
    terms=(Term("kept-price", date(2027, 12, 31)), Term("without-end")),
)


class World:
    """Both sides of one kind, and a way to fill legacy."""

    def __init__(self, legacy: LegacyContracts, billing: Billing, platforms: Platforms | None) -> None:
        self.legacy, self.billing, self.platforms = legacy, billing, platforms

    def sell(self, contract: Subscription) -> None:
        if not self.platforms:
            FakeContracts.held[airline.CODE] = contract
            return
        term = next(iter(contract.terms), None)
        row: dict[str, Any] = {
            "carr_cd": airline.CODE, "plan_cd": contract.plan, "plan_nm": contract.plan_name,
            "seat_lim": contract.limits["seats"], "flt_lim": contract.limits["flights_per_year"],
            "price_cents": str(contract.price), "gf_flg": "Y" if term else "N",
            "gf_until": term.until.strftime("%Y%m%d") if term and term.until else None,
        }  # fmt: skip
        airline.insert(self.platforms, "plan_mast", [row])
        addons = [
            {"carr_cd": airline.CODE, "addon_cd": one.code, "addon_nm": one.name, "qty": one.quantity,
             "price_cents": str(one.price)}
            for one in contract.addons
        ]  # fmt: skip
        airline.insert(self.platforms, "plan_addon", addons)

    def people(self, **roles: int) -> None:
        if not self.platforms:
            FakeContracts.used[airline.CODE] = Use({"seats": sum(roles.values()), "flights_per_year": 0}, roles)
            names = [role for role, count in roles.items() for _ in range(count)]
            FakeContracts.people[airline.CODE] = {f"p{number}": role for number, role in enumerate(names)}
            return
        rows = [role for role, count in roles.items() for _ in range(count)]
        airline.insert(
            self.platforms,
            "usr_mast",
            [
                {"carr_cd": airline.CODE, "usr_id": number, "login": f"P{number}", "full_nm": "A Person",
                 "role_cd": role, "act_flg": "Y"}
                for number, role in enumerate(rows)
            ],
        )  # fmt: skip

    def forbid(self, policy: str) -> None:
        if self.platforms:
            newplatform.forbid(self.platforms.new_owner, account_id=ACCOUNT, policy=policy)
        else:
            FakeBilling.forbidden.setdefault(ACCOUNT, set()).add(policy)

    def order(self, wanted: Subscription) -> Provision:
        return Provision(ACCOUNT, "Zebra Air", airline.CODE, wanted)


ACCOUNT = uuid4()


@pytest.fixture(params=["fake", "postgres"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Return platforms of each kind that hold no contract."""
    FakeContracts.reset()
    FakeBilling.reset()
    if request.param == "fake":
        yield World(FakeContracts(), FakeBilling(), None)
    else:
        platforms: Platforms = request.getfixturevalue("airline_platforms")
        airline.refill(platforms)
        airline.legacy_do(platforms, "TRUNCATE plan_mast, plan_addon, usr_mast")
        yield World(
            PostgresContracts(url=platforms.legacy_reader, currency="USD"),
            PostgresBilling(url=platforms.new_loader),
            platforms,
        )
    FakeContracts.reset()
    FakeBilling.reset()


@pytest.mark.parametrize("different", [{}, {"terms": (Term("kept-price"),)}, {"addons": (), "terms": ()}])
def test_what_was_bought_is_told_as_it_stands(world: World, different: dict[str, Any]) -> None:
    contract = replace(CONTRACT, **different)
    world.sell(contract)
    assert world.legacy.subscription(tenant_ref=airline.CODE) == contract


def test_a_customer_without_contract_has_none(world: World) -> None:
    world.sell(CONTRACT)
    assert world.legacy.subscription(tenant_ref="XX") is None


def test_people_are_counted_by_role(world: World) -> None:
    world.people(OWN=1, DSP=3)
    use = world.legacy.use(tenant_ref=airline.CODE)
    assert use == Use(resources={"seats": 4, "flights_per_year": 0}, roles={"DSP": 3, "OWN": 1})


def test_a_customer_nobody_knows_uses_nothing(world: World) -> None:
    assert world.legacy.use(tenant_ref="XX") == Use(resources={"seats": 0, "flights_per_year": 0})


def test_people_are_found_by_their_login(world: World) -> None:
    world.people(OWN=1, DSP=2)
    told = world.legacy.roles(tenant_ref=airline.CODE, logins=["p0", "p2", "p9"])
    assert told == {"p0": "OWN", "p2": "DSP"}
    assert world.legacy.roles(tenant_ref="XX", logins=["p0"]) == {}


def test_what_an_account_may_use_follows_its_plan_and_its_own_rules(world: World) -> None:
    assert world.billing.access(account_id=ACCOUNT) is None
    world.billing.provision(world.order(ORDERED))
    features = frozenset({"flight-board", "report-view", "report-export", "api", "webhooks"})
    assert world.billing.access(account_id=ACCOUNT) == Access(features)
    world.forbid("report-exports")
    assert world.billing.access(account_id=ACCOUNT) == Access(features, {"report-exports": False})


def test_an_account_has_no_subscription_before_one_is_set_up(world: World) -> None:
    assert world.billing.subscription(account_id=ACCOUNT) is None


def test_what_is_set_up_is_what_is_found(world: World) -> None:
    world.billing.provision(world.order(ORDERED))
    assert world.billing.subscription(account_id=ACCOUNT) == ORDERED
    assert world.billing.subscription(account_id=uuid4()) is None


def test_setting_up_again_replaces_everything(world: World) -> None:
    world.billing.provision(world.order(ORDERED))
    smaller = replace(
        ORDERED, plan="standard", plan_name="Standard", price=1, limits={"members": 5}, addons=(), terms=()
    )
    for _ in range(2):
        world.billing.provision(world.order(smaller))
        assert world.billing.subscription(account_id=ACCOUNT) == smaller


@pytest.mark.parametrize(
    "different",
    [{"plan": "gold"}, {"addons": (AddOn("fax", "Fax", 1, 1),)}, {"limits": {"telexes": 3}}],
    ids=["plan", "addon", "limit"],
)
def test_what_is_not_sold_is_refused_and_nothing_changes(world: World, different: dict[str, Any]) -> None:
    world.billing.provision(world.order(ORDERED))
    with pytest.raises(Rejected, match="does not sell"):
        world.billing.provision(world.order(replace(ORDERED, price=5, **different)))
    assert world.billing.subscription(account_id=ACCOUNT) == ORDERED


@pytest.mark.django_db
def test_nobody_is_asked_inside_a_transaction(world: World) -> None:
    for ask in (
        lambda: world.legacy.subscription(tenant_ref=airline.CODE),
        lambda: world.legacy.use(tenant_ref=airline.CODE),
        lambda: world.legacy.roles(tenant_ref=airline.CODE, logins=[]),
        lambda: world.billing.access(account_id=ACCOUNT),
        lambda: world.billing.subscription(account_id=ACCOUNT),
        lambda: world.billing.provision(world.order(ORDERED)),
    ):
        with transaction.atomic(), pytest.raises(TransactionOpenError):
            ask()


def test_the_busiest_year_counts(airline_platforms: Platforms) -> None:
    airline.refill(airline_platforms)
    airline.flights(airline_platforms, 2, flt_dt="20121231")
    airline.flights(airline_platforms, 3)
    use = PostgresContracts(url=airline_platforms.legacy_reader, currency="USD").use(tenant_ref=airline.CODE)
    assert use.resources["flights_per_year"] == 3


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [("price_cents", "1,450.00", "not a number of cents"), ("gf_until", "20270231", "ends on no date")],
)
def test_what_cannot_be_read_is_refused_not_guessed(
    airline_platforms: Platforms, column: str, value: str, words: str
) -> None:
    airline.legacy_do(airline_platforms, "TRUNCATE plan_mast, plan_addon")
    world = World(
        PostgresContracts(url=airline_platforms.legacy_reader, currency="USD"), FakeBilling(), airline_platforms
    )
    world.sell(CONTRACT)
    airline.legacy_do(airline_platforms, f"UPDATE plan_mast SET {column} = %s", value)
    with pytest.raises(Rejected, match=words):
        world.legacy.subscription(tenant_ref=airline.CODE)


def test_crossing_cannot_change_what_is_sold(airline_platforms: Platforms) -> None:
    import psycopg

    with (
        psycopg.connect(airline_platforms.new_loader) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("UPDATE platform.price SET monthly = 0")


def test_a_server_that_is_gone_is_unavailable() -> None:
    url = "postgres://nobody:none@127.0.0.1:1/nothing"
    with pytest.raises(Unavailable):
        PostgresBilling(url=url).subscription(account_id=ACCOUNT)
    with pytest.raises(Unavailable):
        PostgresContracts(url=url, currency="USD").use(tenant_ref="ZZ")
