"""What our strict layer costs a sign-in: the time of one as a ratio to that by allauth's SAML provider alone.

    make bench-sign_in [ARGS="sign-ins"]

Both sign the same linked person in, by answers that are really signed, through the whole stack of this portal
(middleware, sessions, database); allauth's provider is installed for this process only. A sign-in is: begin, go to the
provider, bring the answer, come back with a session. Minting the answer is the provider's work and is not counted. The
two take turns; medians, of wall time and of this process's own time, which a busy machine blurs less. Every session
ends before the next begins: allauth looks through all sessions of a person at each sign-in, which would be most of both
figures. Goal: at most three times what allauth's alone takes, for all checks, a second opinion, ids that count once in
the database, a decision, and a history.
"""
# ruff: noqa: E402

import json
import logging
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django
from django.conf import settings

_setup = django.setup


def _with_allauths_provider() -> None:
    settings.INSTALLED_APPS = [
        *settings.INSTALLED_APPS,
        "allauth.socialaccount",
        "allauth.socialaccount.providers.saml",
    ]
    _setup()


django.setup = _with_allauths_provider
import tests.conftest as house  # isort: skip  # takes the servers and sets Django up

import psycopg
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.client import ClientHandler
from django.urls import reverse

from accounts.models import SsoSignIn
from core import tenancy
from portal.demo.minting import Answer
from tests import company, databases, sso
from tests.sso import EMAIL, Browser, Provider

RESULTS = Path(__file__).parent / "results" / "sign_in.json"
GOAL = 3.0
ORGANISATION = "bench"
HOST = "http://crossing.example"
ATTRIBUTES = {"mail": (EMAIL,), "displayName": ("Olivia Owen",)}


def serve_by_one_stack() -> None:
    """Build the middleware once, as a server does, and not for every client."""
    first = ClientHandler()
    first.load_middleware()
    built = {name: value for name, value in vars(first).items() if "middleware" in name}
    ClientHandler.load_middleware = lambda self, *_: vars(self).update(built)


class Spent:
    """Time spent in the blocks that are counted."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        wall, cpu = self._began
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu


def install_allauths_tables() -> None:
    """Create the tables of allauth's provider beside ours, as the owner."""
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        for model in (SocialApp, SocialAccount, SocialToken):
            editor.create_model(model)
    url = databases.with_database(house.CLONE.owner_url, house.CLONE.name)
    with psycopg.connect(url) as owner:
        for statement in editor.collected_sql:
            owner.execute(str(statement))
        for model in (SocialApp, SocialAccount, SocialToken):
            owner.execute(f"GRANT ALL ON {model._meta.db_table} TO crossing_app")


def by_allauth(provider: Provider, person: object) -> Callable[[], Spent]:
    """Return a sign-in by allauth alone, in seconds without the provider's own work."""
    settings.SOCIALACCOUNT_PROVIDERS = {
        "saml": {
            "APPS": [
                {
                    "name": "Bench",
                    "provider_id": provider.entity_id,
                    "client_id": ORGANISATION,
                    "settings": {
                        "idp": {
                            "entity_id": provider.entity_id,
                            "sso_url": provider.sso_url,
                            "x509cert": provider.signer.der,
                        },
                    },
                }
            ]
        }
    }
    SocialAccount.objects.create(user=person, provider=provider.entity_id, uid=EMAIL, extra_data={})
    acs, metadata = (f"{HOST}{reverse(name, args=[ORGANISATION])}" for name in ("saml_acs", "saml_metadata"))

    def sign_in() -> Spent:
        client, spent = Client(HTTP_HOST=urlsplit(HOST).netloc), Spent()
        with spent:
            began = client.post(reverse("saml_login", args=[ORGANISATION]))
        message = provider.message(
            Answer(
                issuer=provider.entity_id, audience=metadata, acs_url=acs, email=EMAIL, at=sso.timezone.now(),
                request_id=sso.attribute(sso.asked(began["Location"]), "ID"), attributes=ATTRIBUTES,
            )
        )  # fmt: skip
        with spent:
            posted = client.post(urlsplit(acs).path, {"SAMLResponse": message})
            client.get(posted["Location"])
        _sign_out(client)
        return spent

    return sign_in


def by_us(firm: company.Company, provider: Provider) -> Callable[[], Spent]:
    """Return a sign-in by the portal, in seconds without the provider's own work."""
    firm.link()

    def sign_in() -> Spent:
        browser, spent = Browser(firm.connection, provider), Spent()
        with spent:
            began = browser.client.post(reverse("sso:start", args=[firm.connection.provider_id]))
            browser.client.get(began["Location"])
        with tenancy.scope(tenant_id=firm.tenant_id):
            asked = SsoSignIn.objects.get(pk=began["Location"].rstrip("/").rpartition("/")[2])
        message = provider.message(provider.answer(firm.connection, asked, attributes=ATTRIBUTES))
        with spent:
            browser.back(browser.post(message, relay_state=str(asked.pk)))
        _sign_out(browser.client)
        return spent

    return sign_in


def _sign_out(client: Client) -> None:
    if "_auth_user_id" not in client.session:
        raise SystemExit("Nobody was signed in.")
    client.logout()
    UserSession.objects.all().delete()


def main(count: int) -> None:
    """Measure in turns, print and write the table."""
    provider, firm = Provider(), company.found()
    with tenancy.scope(tenant_id=firm.tenant_id):
        person = firm.olivia.user
    ways = {"allauth alone": by_allauth(provider, person), "with our strict layer": by_us(firm, provider)}
    for sign_in in ways.values():
        sign_in()  # what is read or compiled once per process does not count
    times: dict[str, list[Spent]] = {name: [] for name in ways}
    for _ in range(count):
        for name, sign_in in ways.items():
            times[name].append(sign_in())
    rows = []
    for name, all_spent in times.items():
        wall = statistics.median(spent.wall for spent in all_spent)
        cpu = statistics.median(spent.cpu for spent in all_spent)
        first = rows[0] if rows else {"ms": wall * 1000, "cpu_ms": cpu * 1000}
        rows.append(
            {
                "way": name,
                "ratio": round(wall * 1000 / first["ms"], 2),
                "cpu_ratio": round(cpu * 1000 / first["cpu_ms"], 2),
                "ms": round(wall * 1000, 1),
                "cpu_ms": round(cpu * 1000, 1),
                "a_second": round(1 / wall, 1),
            }
        )
        print("  ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    RESULTS.write_text(json.dumps({"sign_ins": count, "goal": GOAL, "ways": rows}, indent=1) + "\n")


if __name__ == "__main__":
    template = databases.ensure_template(owner_url=house.CLONE.owner_url)
    house.CLONE.create(template=template)
    settings.ALLOWED_HOSTS = ["*"]
    settings.ACCOUNT_RATE_LIMITS = False
    logging.disable(logging.WARNING)
    try:
        install_allauths_tables()
        serve_by_one_stack()
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
    finally:
        connection.close()
        house.CLONE.drop()
