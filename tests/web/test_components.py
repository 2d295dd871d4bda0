"""The components: state in icon and words, escaped content, times in the tenant's zone."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.core.paginator import Paginator
from django.template import Context, RequestContext, Template
from django.test import Client, RequestFactory
from django.utils import timezone

from core.permissions import StaffRole
from core.templatetags.crossing import STATES
from tests import make

HOSTILE = "<b onclick=alert(1)>"


def render(source: str, **context: object) -> str:
    """Render a piece of template."""
    return Template("{% load crossing %}" + source).render(Context(context))


@pytest.mark.parametrize("name", STATES)
def test_a_state_is_an_icon_and_words(name: str) -> None:
    for tag in ("state", "state_tag"):
        drawn = render(f"{{% {tag} name %}}", name=name)
        assert "<svg" in drawn
        assert STATES[name].words in drawn


def test_a_state_nobody_knows_is_named_plainly() -> None:
    assert "Half baked" in render("{% state_tag 'half_baked' %}")


@pytest.mark.parametrize(
    "source",
    [
        "{% tag bad %}",
        "{% state_tag 'pass' bad %}",
        "{% copy bad bad %}",
        "{% card title=bad %}x{% endcard %}",
        "{% notice title=bad %}x{% endnotice %}",
        "{% emptystate symbol='inbox' title=bad href=bad action=bad %}x{% endemptystate %}",
        "{% diff lines %}",
        "{% progress label=bad done=1 total=2 message=bad %}",
        "{% problem_summary problem %}",
        "{% dns_records records %}",
        "{% stepper steps %}",
        "{% timeline entries %}",
        "{% kpi figure %}",
    ],
)
def test_what_is_passed_in_is_escaped(source: str) -> None:
    drawn = render(
        source,
        bad=HOSTILE,
        lines=[("old", HOSTILE)],
        problem=SimpleNamespace(message=HOSTILE, fix=HOSTILE),
        records=[{"type": HOSTILE, "name": HOSTILE, "value": HOSTILE}],
        steps=[SimpleNamespace(label=HOSTILE, hint=HOSTILE, state="done")],
        entries=[SimpleNamespace(text=HOSTILE, who=HOSTILE, tone="pass", at=timezone.now())],
        figure=SimpleNamespace(
            label=HOSTILE, value=HOSTILE, target=HOSTILE, words=HOSTILE, state="pass", trend=[1, 2], share=40
        ),
    )
    assert HOSTILE not in drawn
    assert "&lt;b onclick" in drawn


def test_a_moment_is_shown_in_the_tenants_zone() -> None:
    tenant = SimpleNamespace(time_zone="America/New_York")
    at = datetime(2025, 1, 15, 3, 30, tzinfo=UTC)
    assert "14 Jan 2025, 22:30 EST" in render("{% when at zone=True %}", at=at, tenant=tenant)


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd"])
def test_a_zone_that_does_not_exist_is_utc(zone: str) -> None:
    at = datetime(2025, 1, 15, 3, 30, tzinfo=UTC)
    assert "03:30 UTC" in render("{% when at zone=True %}", at=at, tenant=SimpleNamespace(time_zone=zone))


def test_days_nearby_are_called_by_name() -> None:
    now = timezone.now()
    assert "today" in render("{% when at %}", at=now)
    assert "yesterday" in render("{% when at %}", at=now - timedelta(days=1))
    assert render("{% when at %}", at=None) == "never"
    assert 'datetime="2025-01-15T03:30:00+00:00"' in render(
        "{% when at %}", at=datetime(2025, 1, 15, 3, 30, 0, 517511, tzinfo=UTC)
    ), "HTML knows no microseconds"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "time left not known yet"),
        (0, "less than a minute left"),
        (60, "about 1 minute left"),
        (61, "about 2 minutes left"),
        (3600, "about 1 hour left"),
        (5000, "about 1.5 hours left"),
    ],
)
def test_time_left_is_rounded_up(seconds: float | None, words: str) -> None:
    assert render("{% left seconds %}", seconds=seconds) == words


@pytest.mark.parametrize(
    ("done", "total", "share"), [(0, 10, "0%"), (99, 100, "99%"), (999, 1000, "99%"), (20, 10, "100%")]
)
def test_progress_never_says_done_too_early(done: int, total: int, share: str) -> None:
    assert share in render("{% progress label='x' done=done total=total %}", done=done, total=total)


@pytest.mark.parametrize(
    ("current", "name", "links"),
    [("page", "Tokens & keys", 0), ("true", "Rotate", 1), ("true", "Tokens & keys", 0)],
    ids=["the page of the section", "one below it", "the answer to a form that was refused"],
)
def test_a_breadcrumb_names_a_page_once(current: str, name: str, links: int) -> None:
    here = SimpleNamespace(label="Tokens & keys", path="/t/jetblue/tokens/", current=current)
    drawn = render("{% last_crumbs %}{{ name }}{% endlast_crumbs %}", name=name, shell=SimpleNamespace(here=here))
    assert (drawn.count("<a "), drawn.count("aria-current"), drawn.count("<li>")) == (links, 1, 1 + links)
    assert drawn.count("Tokens &amp; keys") == 1


def test_pages_keep_the_addresss_other_parameters() -> None:
    request = RequestFactory().get("/?q=late&page=2")
    page = Paginator(range(100), 10).get_page(2)
    drawn = Template("{% load crossing %}{% pager page 'flights' %}").render(RequestContext(request, {"page": page}))
    assert "?q=late&amp;page=3" in drawn
    assert "11–20 of 100 flights" in drawn


def test_the_component_page_is_for_staff(client: Client, db: None) -> None:
    assert client.get("/components/").status_code == 302
    client.force_login(make.user())
    assert client.get("/components/").status_code == 404
    client.force_login(make.staff(StaffRole.CS))
    assert client.get("/components/").status_code == 200
