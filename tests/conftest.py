"""What every test stands on: this checkout's own servers, a database cloned per worker, the unprivileged app role.

Ask for `db` (rolled back), `committed_db` (really commits; undone by cloning the template again, about 0.2 s), or
`platforms` (an empty pair of demo platforms). `child_environment` is for a process that must see the same database.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from portal.house import development
from portal.house.hold import Servers
from tests import databases

pytest_plugins = ["tests.browsing"]

JOURNEYS = Path(__file__).parent / "journeys"

SERVERS = Servers().take()
"""Held until this process ends; the last one out stops them."""

_ENVIRONMENT = development.environment()
_NUMBER = 2 + 2 * databases.SLOT
_VALKEY = _ENVIRONMENT["BROKER_URL"].rsplit("/", 1)[0]
os.environ.update(
    {
        **_ENVIRONMENT,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "CROSSING_TESTS": "on",
        # The demo of this checkout may be running: its queue (0) and its cache (1) are not ours.
        "BROKER_URL": f"{_VALKEY}/{_NUMBER}",
        "CACHE_URL": f"{_VALKEY}/{_NUMBER + 1}",
        "DATABASE_URL": databases.with_database(_ENVIRONMENT["DATABASE_URL"], f"crossing_test_{databases.SLOT}"),
    }
)

import django  # noqa: E402 - the settings are read from the variables above
from django.conf import settings  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402
from pytest_django.fixtures import Settings  # noqa: E402

from tests.airline_fixtures import airline_platforms, airline_world  # noqa: E402, F401 - fixtures
from tests.fakes.contracts import FakeBilling, FakeContracts  # noqa: E402
from tests.fakes.dns import FakeDns  # noqa: E402
from tests.fakes.mail import FakeMail  # noqa: E402
from tests.fakes.outbound import FakeOutbound  # noqa: E402

django.setup()
from tests import signing_in  # noqa: E402 - needs the apps
from tests.worlds import standing_world  # noqa: E402, F401 - a fixture, and needs the apps

signing_in.sign_staff_in_wholly()
# Every test client makes the middleware anew, and would list all static files each time.
settings.WHITENOISE_AUTOREFRESH = True
# Slow by design in production; here the design is only slow.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Workers must not load the settings before they come by here: pytest-django would, if they inherited this name.
del os.environ["DJANGO_SETTINGS_MODULE"]

CLONE = databases.Clone(name=f"crossing_test_{databases.SLOT}", owner_url=_ENVIRONMENT["DATABASE_OWNER_URL"])
if settings.DATABASES["default"]["NAME"] != CLONE.name:
    raise pytest.UsageError(
        "Unset DJANGO_SETTINGS_MODULE: the settings were read before the tests chose their database."
    )


hypothesis.settings.register_profile("crossing", deadline=None)  # a busy machine says nothing about the code
hypothesis.settings.load_profile("crossing")


@pytest.fixture(scope="session")
def database_template() -> str:
    """The name of the migrated template database."""
    return databases.ensure_template(owner_url=_ENVIRONMENT["DATABASE_OWNER_URL"])


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: pytest.FixtureRequest, database_template: str
) -> Iterator[None]:
    """Give this worker its clone; Django connects to it as the app role, as it would in production."""

    def reset(case: TransactionTestCase) -> None:
        connections.close_all()
        CLONE.create(template=database_template, durable=False)

    # Django would TRUNCATE, which only the owner may.
    TransactionTestCase._fixture_teardown = reset  # type: ignore[attr-defined]  # private, and not in the stubs
    CLONE.create(template=database_template, durable=False)
    yield
    connections.close_all()
    CLONE.drop()


@pytest.fixture
def committed_db(transactional_db: None) -> None:
    """A database in which commits are real, for code that leaves this connection: tasks, threads, processes."""


@pytest.fixture(scope="module")
def module_db(django_db_setup: None, django_db_blocker: Any, database_template: str) -> Iterator[None]:
    """A database in which commits are real and stay for all tests of a module that only look at it."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()
    CLONE.create(template=database_template, durable=False)


@pytest.fixture
def child_environment(committed_db: None) -> dict[str, str]:
    """The variables for a process that works on this test's database and queue."""
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"}


@pytest.fixture
def platforms() -> Iterator[databases.Platforms]:
    """An empty pair of demo platforms, dropped afterwards."""
    with databases.platforms() as pair:
        yield pair


@pytest.fixture
def fake_dns(settings: Settings) -> Iterator[type[FakeDns]]:
    """A DNS of the test's own, empty, behind the port."""
    settings.ADAPTERS = {**settings.ADAPTERS, "dns": {"BACKEND": "tests.fakes.dns.FakeDns"}}
    FakeDns.reset()
    yield FakeDns
    FakeDns.reset()


@pytest.fixture
def fake_outbound(settings: Settings) -> Iterator[type[FakeOutbound]]:
    """Addresses outside of the test's own, none yet, behind the port."""
    settings.ADAPTERS = {**settings.ADAPTERS, "outbound": {"BACKEND": "tests.fakes.outbound.FakeOutbound"}}
    FakeOutbound.reset()
    yield FakeOutbound
    FakeOutbound.reset()


@pytest.fixture
def fake_mail(settings: Settings) -> Iterator[type[FakeMail]]:
    """A mail server of the test's own, empty, behind the port."""
    settings.ADAPTERS = {**settings.ADAPTERS, "mail": {"BACKEND": "tests.fakes.mail.FakeMail"}}
    FakeMail.reset()
    yield FakeMail
    FakeMail.reset()


@pytest.fixture
def fake_contracts(settings: Settings) -> Iterator[type[FakeContracts]]:
    """Contracts of the test's own behind both ports; nobody has any."""
    fakes = {
        "legacy_contracts": {"BACKEND": "tests.fakes.contracts.FakeContracts"},
        "billing": {"BACKEND": "tests.fakes.contracts.FakeBilling"},
    }
    settings.ADAPTERS = {**settings.ADAPTERS, **fakes}
    yield FakeContracts
    FakeContracts.reset()
    FakeBilling.reset()


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """No rate limit and no cached answer outlives its test."""
    yield
    cache.clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is left alone with it, nor a costly fixture made on both."""

    def waits(item: pytest.Item) -> bool:
        costly = {"collected", "described", "module_db", "standing_world"} & set(getattr(item, "fixturenames", ()))
        return not (costly or item.path.is_relative_to(JOURNEYS))

    items.sort(key=waits)
