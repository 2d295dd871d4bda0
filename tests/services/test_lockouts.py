"""The lockout forecast against the truth: what really became of everybody who signed in by a signed answer.

The truth is read from the sign-ins themselves (`SsoSignIn.outcome`, and whom `finish` hands over); nothing of the
forecast's own code has a part in it.
"""

import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml.etree import SubElement

from accounts.domain.directory import TRANSIENT, Key
from accounts.domain.lockouts import Outcome, Prediction, Why
from accounts.models import Invitation, LinkProposal, Member, SsoConnection, SsoSignIn, Tenant, User
from accounts.models.identities import Source
from accounts.queries import lockouts
from accounts.services import identity_links, sso_answers, sso_sign_ins, sso_tests
from accounts.services import sso as connecting
from core import tenancy
from core.actor import Actor
from core.permissions import TenantRole
from portal.demo import minting
from tests import make, sso
from tests.signing import register
from tests.sso import Provider, signer

pytestmark = pytest.mark.django_db

TRUTH = {
    "signed_in": Outcome.SIGNS_IN,
    "waiting": Outcome.NEEDS_APPROVAL,
    "joined": Outcome.NEW_ACCOUNT,
    "refused": Outcome.LOCKED_OUT,
}
REFUSED = "answer_refused"
ENDED = {
    Why.LINKED: "linked", Why.LINKED_BY_RULE: "linked_by_rule", Why.JOINS_BY_RULE: "joined_by_rule",
    Why.TO_BE_APPROVED: "to_be_approved", Why.NAME_HAS_NEW_OWNER: "name_has_new_owner",
    Why.ALREADY_LINKED: "already_linked", Why.LINK_REJECTED: "link_rejected", Why.DEACTIVATED: "deactivated",
    Why.NOT_JOINED: "not_a_member", Why.STAFF: "staff", Why.DOMAIN_NOT_PROVEN: REFUSED, Why.CLOCK: REFUSED,
    Why.SIGNATURE: REFUSED, Why.ADDRESSED_WRONGLY: REFUSED, Why.MAPPING: REFUSED, Why.ANSWER_REFUSED: REFUSED,
    Why.NOT_CONNECTED: "not asked", Why.NOTHING_SEEN: "whatever comes",
}  # fmt: skip
"""As what a sign-in foreseen for a reason really ends. Every reason of the domain stands here, and comes up below."""
OURS, RULED, ELSEWHERE = "airline.example", "ruled.example", "elsewhere.example"


@dataclass
class Company:
    """A tenant, its provider, and what that really says of each person who signs in there."""

    tenant: Tenant
    owner: Actor
    provider: Provider = field(default_factory=Provider)
    says: dict[str, Any] = field(default_factory=dict)
    """What is wrong with all its answers."""
    ids: dict[str, str] = field(default_factory=dict)
    """The lasting id that it gives with a person, by address."""
    bends: Callable[[Any], object] | None = None
    """What it does to each answer before it signs it."""

    def message(self, asked: Any, email: str) -> str:
        found = SsoConnection.objects.get(tenant_id=self.tenant_id)
        said = {name: value(email) if callable(value) else value for name, value in self.says.items()}
        if email in self.ids:
            said["attributes"] = {"externalId": (self.ids[email],)}
        return self.provider.message(self.provider.answer(found, asked, **{"email": email, **said}), before=self.bends)

    def test(self, email: str) -> None:
        """Have an admin test it, as it is."""
        asked = sso_tests.start(tenant_id=self.tenant_id, by=self.owner, at=timezone.now())
        self._take(asked, email)

    def sign_in(self, email: str) -> Outcome:
        """Sign somebody in for real, and return what became of it."""
        return self.ends(email)[0]

    def ends(self, email: str) -> tuple[Outcome, str]:
        """Do the same, and return the reason too."""
        found = SsoConnection.objects.get(tenant_id=self.tenant_id)
        try:
            asked = sso_sign_ins.start(
                connection_id=found.pk, tenant_id=self.tenant_id, browser="secret", leads_to="", at=timezone.now()
            )
        except sso_sign_ins.UnableToSignIn:
            return Outcome.LOCKED_OUT, ENDED[Why.NOT_CONNECTED]
        self._take(asked, email)
        ended = SsoSignIn.objects.get(pk=asked.pk)
        try:
            person = sso_sign_ins.finish(sign_in=ended, browser="secret", at=timezone.now())
        except sso_sign_ins.UnableToSignIn:
            assert ended.outcome in ("waiting", "refused")
        else:
            assert person.email == email
        return TRUTH[ended.outcome], ended.reason

    def member(self, email: str, *, is_staff: bool = False) -> Member:
        return make.member(self.tenant, TenantRole.MEMBER, person=make.user(email=email, is_staff=is_staff))

    @property
    def tenant_id(self) -> UUID:
        return self.tenant.pk

    def _take(self, asked: Any, email: str) -> None:
        sso_answers.take(
            connection_id=asked.connection_id, tenant_id=self.tenant_id, message=self.message(asked, email),
            relay_state=str(asked.pk), by=Actor.system("sso"), at=timezone.now(),
        )  # fmt: skip


@contextmanager
def company(domain: str = OURS) -> Iterator[Company]:
    tenant = make.tenant()
    owner = make.member(tenant, person=make.user(email=f"owner@{domain}"))
    with tenancy.scope(tenant_id=tenant.pk):
        made = Company(tenant, make.actor(owner))
        sso.prove(tenant.pk, domain, made.owner)
        sso.connected(tenant.pk, made.owner, provider=made.provider)
        yield made


def addresses(kind: str, count: int, domain: str = OURS) -> list[str]:
    return [f"{kind}{number}@{domain}" for number in range(count)]


def link(
    at: Company,
    email: str,
    *,
    external_id: str = "",
    name: str = "",
    source: Source = Source.APPROVAL,
    is_staff: bool = False,
) -> Member:
    member = at.member(email, is_staff=is_staff)
    with transaction.atomic():
        identity_links.link(
            member=member, key=Key(external_id, name or email), source=source, by=at.owner, at=timezone.now()
        )
    return member


def foresee(at: Company) -> dict[str, Prediction]:
    return {row.email: row.prediction for row in lockouts.rows(tenant_id=at.tenant_id, at=timezone.now())}


def compare(at: Company) -> Counter[tuple[Outcome, Why]]:
    """Foresee everybody, then let everybody sign in; whoever comes out otherwise, or for another reason, is named."""
    foreseen = foresee(at)
    really = {email: at.ends(email) for email in foreseen}
    wrong = {
        email: (each, really[email])
        for email, each in foreseen.items()
        if really[email] != (each.outcome, ENDED[each.why])
    }
    assert wrong == {}
    return Counter((each.outcome, each.why) for each in foreseen.values())


def reject(at: Company, email: str) -> None:
    """Let somebody try, and the owner say no."""
    assert at.sign_in(email) is Outcome.NEEDS_APPROVAL
    proposals = LinkProposal.objects.filter(member__user__email=email).values_list("pk", flat=True)
    identity_links.decide(
        tenant_id=at.tenant_id, proposal_ids=list(proposals), approve=False, by=at.owner, at=timezone.now()
    )
    assert at.sign_in(email) is Outcome.LOCKED_OUT


def everybody(at: Company) -> None:
    """Let people of every kind belong to a company whose connection is right."""
    ruled = sso.prove(at.tenant_id, RULED, at.owner)
    for kind in ("link", "join"):
        identity_links.make_rule(tenant_id=at.tenant_id, domain=ruled.name, kind=kind, by=at.owner, at=timezone.now())
    for email in addresses("linked", 30):
        link(at, email)
    for email in addresses("ruled", 30, RULED) + addresses("new", 30) + addresses("far", 12, ELSEWHERE):
        at.member(email)
    for email in addresses("moved", 12, ELSEWHERE):
        link(at, email)
    for email in addresses("gone", 12):
        Member.objects.filter(pk=link(at, email).pk).update(deactivated_at=timezone.now(), deactivated_by=at.owner.id)
    for number, email in enumerate(addresses("named", 12, RULED)):
        link(at, email, external_id=f"old-{number}")
        at.ids[email] = f"new-{number}"
        assert at.sign_in(email) is Outcome.NEEDS_APPROVAL
    for number, email in enumerate(addresses("renamed", 12, RULED)):
        link(at, email, name=f"former{number}@{RULED}")
        assert at.sign_in(email) is Outcome.NEEDS_APPROVAL
    for number, email in enumerate(addresses("sent", 12)):  # by the directory, under a name that they do not sign in by
        link(at, email, name=f"login-{number}", source=Source.PROVISIONING)
        assert at.sign_in(email) is Outcome.NEEDS_APPROVAL
    for number, email in enumerate(addresses("back", 12)):  # a stranger tried their name; they come in by the old id
        link(at, email, external_id=f"lasting-{number}")
        at.ids[email] = f"stranger-{number}"
        assert at.sign_in(email) is Outcome.NEEDS_APPROVAL
        at.ids[email] = f"lasting-{number}"
        assert at.sign_in(email) is Outcome.SIGNS_IN
    for email in addresses("staff", 12):
        link(at, email, is_staff=True)
    for number, email in enumerate(addresses("refused", 12)):  # linked by another name, and the new one was rejected
        link(at, email, name=f"earlier-{number}")
        reject(at, email)
    for email in addresses("rejected", 12):
        at.member(email)
        reject(at, email)
    for email in addresses("invited", 12, RULED) + addresses("asked", 12):
        Invitation.objects.create(
            tenant_id=at.tenant_id, email=email, role="member", token_digest=email, invited_by=at.owner.id,
            expires_at=timezone.now() + timedelta(days=7),
        )  # fmt: skip


@pytest.mark.slow
def test_what_is_foreseen_of_everybody_comes_true() -> None:
    with company() as right:
        everybody(right)
        right.test(f"owner@{OURS}")
        found = compare(right)
    late = timedelta(minutes=-10)
    wrongs: list[tuple[Why, Callable[[Company], None]]] = [
        (Why.CLOCK, lambda at: at.says.update(at=timezone.now() + late)),
        (Why.SIGNATURE, lambda at: setattr(at, "provider", replace(at.provider, signer=signer("renewed")))),
        (Why.ADDRESSED_WRONGLY, lambda at: at.says.update(audience="https://elsewhere.example/")),
        (Why.MAPPING, lambda at: at.says.update(email=lambda email: email.split("@")[0])),
        (Why.MAPPING, lambda at: setattr(at, "bends", make_transient)),
        (Why.ANSWER_REFUSED, lambda at: at.says.update(issuer="https://another.example/")),
        (Why.NOT_CONNECTED, lambda at: connecting.disconnect(tenant_id=at.tenant_id, by=at.owner, at=timezone.now())),
    ]
    for number, (why, go_wrong) in enumerate(wrongs):
        domain = f"wrong{number}.example"
        with company(domain) as at:
            for email in addresses("linked", 12, domain):
                link(at, email)
            at.test(f"owner@{domain}")
            go_wrong(at)
            if why is not Why.NOT_CONNECTED:
                at.test(f"owner@{domain}")
            stopped = compare(at)
        assert set(stopped) == {(Outcome.LOCKED_OUT, why)}
        found += stopped
    found += nobody_seen_yet()
    assert sum(found.values()) >= 200
    assert {pair: count for pair, count in found.items() if count < 10} == {}
    assert {outcome for outcome, _ in found} == set(Outcome)
    assert {why for _, why in found} == set(Why)


def nobody_seen_yet() -> Counter[tuple[Outcome, Why]]:
    """Foresee two companies of whom the same is known, nothing; everybody comes in at one, nobody at the other.

    So no other forecast than “not known” would be right of both.
    """
    found: Counter[tuple[Outcome, Why]] = Counter()
    for key, really in ((signer(), Outcome.SIGNS_IN), (signer("unknown"), Outcome.LOCKED_OUT)):
        domain = f"unseen-{really.value.replace('_', '-')}.example"
        with company(domain) as at:
            people = addresses("linked", 12, domain)
            for email in people:
                link(at, email)
            foreseen = foresee(at)
            at.provider = replace(at.provider, signer=key)
            assert {at.sign_in(email) for email in people} == {really}
            found += Counter((foreseen[email].outcome, foreseen[email].why) for email in people)
            if really is Outcome.SIGNS_IN:
                compare(at)  # from the first answer on it is known
    return found


def make_transient(root: Any) -> None:
    """Name the person anew at each sign-in, and give the address as an attribute."""
    subject = root.find(".//{*}Subject/{*}NameID")
    address, subject.text = subject.text, f"_{uuid4().hex}"
    subject.set("Format", TRANSIENT)
    statement = SubElement(minting.assertion_of(root), f"{{{minting.SAML}}}AttributeStatement")
    attribute = SubElement(statement, f"{{{minting.SAML}}}Attribute", Name="mail")
    SubElement(attribute, f"{{{minting.SAML}}}AttributeValue").text = address


def test_every_reason_that_the_domain_knows_is_put_to_the_truth() -> None:
    """A reason without its truth fails here at once, and above unless ten people and more have met it."""
    assert set(ENDED) == set(Why)


def test_nothing_is_said_of_a_connection_that_never_answered() -> None:
    with company() as at:
        link(at, f"ann@{OURS}")
        assert {each.outcome for each in foresee(at).values()} == {Outcome.UNKNOWN}
        assert lockouts.forecast(tenant_id=at.tenant_id).is_grave


def test_only_a_key_that_signs_in_by_itself_is_counted_on() -> None:
    with company() as at:
        at.test(f"owner@{OURS}")
        member = at.member(f"ann@{OURS}")
        register(member.user)
        stuck = lockouts.forecast(tenant_id=at.tenant_id).stuck
        held = Authenticator.objects.get(user=member.user)
        held.data["credential"]["clientExtensionResults"] = {"credProps": {"rk": False}}
        held.save()
        assert lockouts.forecast(tenant_id=at.tenant_id).stuck == stuck + 1


def test_rubbish_that_a_stranger_sends_changes_no_forecast() -> None:
    with company() as at:
        link(at, f"ann@{OURS}")
        at.test(f"owner@{OURS}")
        at.provider = replace(at.provider, signer=signer("stranger"))
        assert at.sign_in(f"ann@{OURS}") is Outcome.LOCKED_OUT
        assert lockouts.barrier(tenant_id=at.tenant_id) is None
        at.test(f"owner@{OURS}")
        assert lockouts.barrier(tenant_id=at.tenant_id) is Why.SIGNATURE


def test_a_newer_answer_that_was_accepted_clears_what_was_wrong() -> None:
    with company() as at:
        link(at, f"ann@{OURS}")
        at.says["at"] = timezone.now() - timedelta(minutes=10)
        at.test(f"owner@{OURS}")
        assert lockouts.barrier(tenant_id=at.tenant_id) is Why.CLOCK
        at.says.clear()
        assert at.sign_in(f"ann@{OURS}") is Outcome.SIGNS_IN
        assert lockouts.barrier(tenant_id=at.tenant_id) is None


def crowd(tenant_id: Any, first: int, count: int) -> None:
    """Fill a tenant with members, a tenth of them deactivated, half of a domain that is proven."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_user (id, password, is_superuser, email, name, is_staff, is_active, date_joined) "
            "SELECT gen_random_uuid(), '!', false, 'crowd' || n || CASE WHEN n %% 2 = 0 THEN '@airline.example' "
            "ELSE '@far.example' END, 'Crowd ' || n, false, true, now() FROM generate_series(%s, %s) n",
            [first, first + count - 1],
        )
        cursor.execute(
            "INSERT INTO accounts_member (id, tenant_id, user_id, role, joined_at, deactivated_at, deactivated_by) "
            "SELECT gen_random_uuid(), %s, u.id, 'member', now(), d.at, CASE WHEN d.at IS NOT NULL THEN u.id END "
            "FROM accounts_user u, "
            "LATERAL (SELECT CASE WHEN substring(u.name, 7)::int %% 10 = 0 THEN now() END AS at) d "
            "WHERE u.name LIKE 'Crowd %%' AND substring(u.name, 7)::int BETWEEN %s AND %s",
            [tenant_id, first, first + count - 1],
        )


def test_the_forecast_costs_the_same_queries_for_any_number_of_members() -> None:
    with company() as at:
        at.test(f"owner@{OURS}")

        def cost() -> tuple[int, int]:
            with CaptureQueriesContext(connection) as forecast:
                lockouts.forecast(tenant_id=at.tenant_id)
            with CaptureQueriesContext(connection) as listed:
                list(lockouts.rows(tenant_id=at.tenant_id, at=timezone.now()))
            return len(forecast), len(listed)

        crowd(at.tenant_id, 1, 20)
        few = cost()
        crowd(at.tenant_id, 21, 500)
        assert cost() == few
        counts = lockouts.forecast(tenant_id=at.tenant_id).counts
        assert counts == {
            Outcome.SIGNS_IN: 0, Outcome.NEEDS_APPROVAL: 209, Outcome.NEW_ACCOUNT: 0, Outcome.LOCKED_OUT: 260,
            Outcome.UNKNOWN: 0,
        }  # fmt: skip


@pytest.mark.slow
def test_a_hundred_thousand_members_fit_into_bounded_memory() -> None:
    with company() as at:
        at.test(f"owner@{OURS}")
        crowd(at.tenant_id, 1, 100_000)
        tracemalloc.start()
        forecast = lockouts.forecast(tenant_id=at.tenant_id)
        seen = sum(1 for _ in lockouts.rows(tenant_id=at.tenant_id, at=timezone.now()))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (seen, forecast.people) == (100_001, 90_001)
    assert peak < 40_000_000
    assert User.objects.count() > 100_000
