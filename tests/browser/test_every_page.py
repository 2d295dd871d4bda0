"""Every page of the portal, populated, empty and in error, as the right person: fit to be seen, light and dark.

The pages come from the resolver, so that a new one fails until somebody says how it is reached (`pages.py`; the
admin's are found by themselves).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.admin import site
from django.test import override_settings
from django.urls import resolve, reverse
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from core.admin import StaffAdmin
from core.permissions import StaffRole
from portal.dashboard.queries import overviews
from tests import addresses, counterparts, make, populated
from tests.browser.pages import ACCOUNT_PAGES, NOT_A_PAGE, REFUSALS, TENANT_PAGES, Visit
from tests.browsing import Visits, check_page
from tests.populated import Populated

BASELINE = frozenset(
    line.split()[0]
    for line in Path(__file__).with_name("admin_baseline.txt").read_text().splitlines()
    if line and not line.startswith("#")
)


@dataclass
class Tour:
    """One browser window per person, kept from page to page."""

    portal: Populated
    visits: Visits
    windows: dict[str, Page] = field(default_factory=dict)

    def open(self, path: str, *, who: str, status: int = 200) -> Page:
        """Go to a path as somebody; fail unless it answers with the status."""
        page = self.windows.get(who)
        if page is None:
            page = self.windows[who] = self._window(self.portal.people[who])
        page.complaints.clear()  # type: ignore[attr-defined]  # set by Visits
        answer = page.goto(path)
        assert answer
        assert answer.status == status, f"{path} answered {answer.status} to {who}"
        return page

    def _window(self, person: User | None) -> Page:
        # Staff came in by their second factor already; to be fresh is a customer's need here.
        return self.visits("about:blank", by=person, freshly=person is not None and not person.is_staff)

    def see(self, visit: Visit) -> Page:
        """Make a visit."""
        args = {name: self._known(value) for name, value in visit.args.items()}
        path = reverse(visit.name, kwargs=args) + visit.query
        page = self.open(path, who=visit.who, status=200 if visit.then else visit.status)
        if path.startswith("/accounts/"):  # allauth leads on where a page has nothing to show
            assert resolve(urlsplit(page.url).path).view_name == visit.name
        if visit.then:
            visit.then(page)
        return page

    def _known(self, value: str) -> Any:
        return value[1:] if value.startswith("=") else self.portal.ids[value]


@pytest.fixture(scope="module")
def tour(chromium: Browser, module_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    """The portal with everything in it, served."""
    airlines = [populated.READY, populated.BLOCKED]
    # Nobody is asked who they are again while the tour lasts, and no attempt is one too many.
    calm = override_settings(ACCOUNT_REAUTHENTICATION_TIMEOUT=86_400, ACCOUNT_RATE_LIMITS=False)
    with calm, counterparts.running(airlines, folder=tmp_path_factory.mktemp("dns")) as outside:
        portal = populated.make_everything(outside)
        server = LiveServer("localhost")
        visits = Visits(chromium, server)
        yield Tour(portal, visits)
        for context in visits.contexts:
            context.close()
        server.stop()


def each_in_its_best_state(visits: list[Visit]) -> Iterator[Any]:
    """Leave to the slow run what looks most like something that every run sees: a page's other states, and the forms
    of a second factor, which are one form."""
    seen: set[str] = set()
    for visit in visits:
        seldom = visit.state in ("empty", "error") or (visit.who == "blocked" and visit.state == "populated")
        seldom |= visit.name.startswith("mfa_") and visit.name != "mfa_index"
        seldom |= visit.name == "api_reference"  # a long page, whose words come from the API's description
        again = visit.name in seen
        if not seldom:
            seen.add(visit.name)
        yield pytest.param(visit, id=visit.label, marks=[pytest.mark.slow] if seldom or again else [])


@pytest.mark.parametrize("visit", list(each_in_its_best_state([*TENANT_PAGES, *ACCOUNT_PAGES, *REFUSALS])))
def test_a_page_is_fit_to_be_seen(tour: Tour, visit: Visit) -> None:
    page = tour.see(visit)
    check_page(page, expected_status=visit.status, briefly=None if visit.state == "populated" else True)


def test_a_crash_has_a_page_fit_to_be_seen(tour: Tour, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(overviews, "read", crash)
    check_page(tour.open("/t/hawaiian/", who="owner", status=500), expected_status=500)


def test_an_address_that_leads_nowhere(tour: Tour) -> None:
    check_page(tour.open("/no/such/page/", who="nobody", status=404), expected_status=404)


def test_the_second_step_of_a_sign_in(tour: Tour) -> None:
    page = tour.open("/accounts/login/", who="nobody")
    page.get_by_label("Email").fill("owner@hawaiian.example")
    page.get_by_label("Password").fill(make.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/accounts/2fa/authenticate/**")
    tour.windows.pop("nobody")  # half signed in, it would be led here from every page of the entrance
    check_page(page)


# The admin


SEEN_ALWAYS = ("accounts", "backfills", "cutover")


def models() -> list[Any]:
    return sorted(site._registry, key=lambda model: model._meta.label)


def each_but_few_seldom() -> list[Any]:
    """Leave all but the first list of three apps to the slow run: they differ in their columns."""
    apps = [model._meta.app_label for model in models()]
    first = [app in SEEN_ALWAYS and apps.index(app) == number for number, app in enumerate(apps)]
    return [
        pytest.param(model, id=model._meta.label, marks=[] if leads else [pytest.mark.slow])
        for model, leads in zip(models(), first, strict=True)
    ]


def row_of(model: Any) -> Any:
    with make.arranging():
        row = model._default_manager.first()
    assert row, f"{model._meta.label}: populated.py makes none"
    return row


@pytest.mark.parametrize("name", ["index", "app_list"])
def test_a_page_over_the_admin(tour: Tour, name: str) -> None:
    path = reverse(f"admin:{name}", kwargs={"app_label": "runbooks"} if name == "app_list" else None)
    check_page(tour.open(path, who="staff"), known=BASELINE)


@pytest.mark.parametrize("model", each_but_few_seldom())
def test_a_list_of_the_admin(tour: Tour, model: Any) -> None:
    path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    check_page(tour.open(path, who="staff"), known=BASELINE)


@pytest.mark.slow
@pytest.mark.parametrize("model", models(), ids=lambda model: model._meta.label)
def test_a_row_of_the_admin(tour: Tour, model: Any) -> None:
    name, row = f"admin:{model._meta.app_label}_{model._meta.model_name}", row_of(model)
    check_page(tour.open(reverse(f"{name}_change", args=[row.pk]), who="staff"), known=BASELINE)


@pytest.mark.slow
@pytest.mark.parametrize("model", models(), ids=lambda model: model._meta.label)
def test_what_the_admin_adds_to_a_row(tour: Tour, model: Any) -> None:
    name, row = f"admin:{model._meta.app_label}_{model._meta.model_name}", row_of(model)
    check_page(tour.open(reverse(f"{name}_history", args=[row.pk]), who="staff"), known=BASELINE)
    for refused in (reverse(f"{name}_add"), reverse(f"{name}_delete", args=[row.pk])):
        check_page(tour.open(refused, who="staff", status=403), expected_status=403, known=BASELINE)


def operations() -> list[tuple[StaffAdmin, Any]]:
    return [(admin, one) for model, admin in site._registry.items() for one in type(admin).operations()]


@pytest.mark.slow
@pytest.mark.parametrize(("admin", "item"), operations(), ids=lambda value: getattr(value, "name", str(value)))
def test_an_operation_of_the_admin(tour: Tour, admin: StaffAdmin, item: Any) -> None:
    with make.arranging():
        rows = list(admin.model._default_manager.all())
    row = next((one for one in rows if item.when is None or item.when(one)), rows[0])
    check_page(tour.open(admin.operation_url(item, row.pk), who="staff"), known=BASELINE)


@pytest.mark.slow
def test_a_programme_without_tenants(visit: Visits, committed_db: None) -> None:
    everything = make.staff(*StaffRole)
    for path in ("/staff/go-no-go/", reverse("admin:index"), reverse("admin:accounts_tenant_changelist")):
        check_page(visit(path, by=everything), known=BASELINE if path.startswith("/admin/") else ())


def test_every_route_is_visited() -> None:
    """Whoever adds a page says here how to look at it, or why nobody does."""
    visited = {visit.name for visit in (*TENANT_PAGES, *ACCOUNT_PAGES, *REFUSALS)}
    routes = {
        address.name for address in addresses.every() if not address.route.startswith(("admin/", "api/v1/", "scim/v2/"))
    }
    assert routes - visited - set(NOT_A_PAGE) == set()
    assert visited & set(NOT_A_PAGE) == set()
    assert (visited | set(NOT_A_PAGE)) - routes == set()


def test_every_page_of_a_tenant_is_seen_empty() -> None:
    seen = {visit.name for visit in TENANT_PAGES if visit.state == "empty"}
    pages = {visit.name for visit in TENANT_PAGES if set(visit.args) <= {"slug", "entity"} and visit.args}
    assert pages - seen == set()


def test_the_admins_routes_are_known() -> None:
    """Per model a list, a row, its history, adding and deleting (refused), its operations; and these few."""
    known = {f"admin:{name}" for name in ADMIN_ROUTES} | {"admin", "change_password"}
    for model, admin in site._registry.items():
        stem = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        known |= {f"{stem}_{what}" for what in ("changelist", "change", "history", "add", "delete")}
        known |= {f"{stem}_{item.name}" for item in type(admin).operations()}
    assert {address.name for address in addresses.every() if address.route.startswith("admin/")} == known


ADMIN_ROUTES = {
    "index": "visited",
    "app_list": "visited",
    "search": "a part of a page, for the search field",
    "login": "leads to the portal's own sign-in",
    "logout": "POST only",
    "password_change": "the portal's own is used",
    "password_change_done": "the portal's own is used",
    "autocomplete": "JSON",
    "jsi18n": "a script",
    "view_on_site": "leads elsewhere",
}
