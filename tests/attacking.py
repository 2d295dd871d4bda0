"""Attacks on sign-in, each saying whether it got through."""

import base64
import contextlib
import threading
import zlib
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.request import urlopen

from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from lxml import etree
from xmlsec import constants

from accounts.models import LinkedIdentity
from accounts.services import sso as connecting
from accounts.services import sso_sources
from core import tenancy
from core.permissions import TenantRole
from portal.demo import minting
from tests import make, sso
from tests.company import Company
from tests.forging import put, saml, unset
from tests.sso import EMAIL, ENTITY_ID, Browser, Provider, signer

type Change = Callable[[Any], object]
DATA = "SubjectConfirmationData"


def enters(
    company: Company, change: Change | None = None, *, after: Change | None = None, by: Provider | None = None,
    how: dict[str, Any] | None = None, text: Callable[[str], str] = str, **wrong: Any,
) -> bool:  # fmt: skip
    """Let a browser ask, change the answer before it is signed and `after`, and see who is in."""
    browser = Browser(company.connection, by or Provider())
    asked = browser.ask()
    root = minting.response(browser.provider.answer(company.connection, asked, **wrong))
    if change:
        change(root)
    minting.sign(minting.assertion_of(root), browser.provider.signer, **(how or {}))
    if after:
        after(root)
    message = base64.b64encode(text(etree.tostring(root).decode()).encode()).decode()
    return goes_in(browser, message, str(asked.pk)) == str(company.olivia.user_id)


def goes_in(browser: Browser, message: str, relay_state: str) -> str | None:
    posted = browser.post(message, relay_state=relay_state)
    if posted.status_code == 303:
        browser.back(posted)
    return browser.person


def linked(company: Company, *args: Any, **named: Any) -> bool:
    company.link()
    return enters(company, *args, **named)


def unasked(root: Any) -> None:
    """Let an answer answer nothing, as a provider's own idea does."""
    root.attrib.pop("InResponseTo")
    unset(DATA, "InResponseTo")(root)


def another_organisations_entity_id(company: Company) -> bool:
    company.link()
    other, evil = make.member(make.tenant("Evil")), Provider(signer=signer("evil"))
    with tenancy.scope(tenant_id=other.tenant_id):
        sso.connected(other.tenant_id, make.actor(other), provider=evil)
    return enters(company, by=evil)


def an_address_alone(company: Company) -> bool:
    return enters(company, attributes={"email": (EMAIL,), "email_verified": ("true",)})


def anybodys_address(company: Company) -> bool:
    """Let the provider of another tenant, to which Olivia belongs too, say her address."""
    tenant = make.tenant("Evil")
    owner = make.member(tenant)
    make.member(tenant, TenantRole.MEMBER, person=company.olivia.user)
    with tenancy.scope(tenant_id=tenant.pk):
        sso.prove(tenant.pk, f"evil{tenant.pk}.example", make.actor(owner))
        connection = sso.connected(tenant.pk, make.actor(owner))
    return enters(Company(connection, make.actor(owner), company.olivia))


def the_password(company: Company) -> bool:
    """See whether a first sign-in takes the password away, which a cutback needs."""
    with make.arranging():
        LinkedIdentity.objects.all().delete()
        EmailAddress.objects.update_or_create(
            user=company.olivia.user, email=EMAIL, defaults={"primary": True, "verified": False}
        )
    assert linked(company)
    company.olivia.user.refresh_from_db()
    return not company.olivia.user.has_usable_password()


def bound_to_another_request(company: Company) -> bool:
    """Carry a victim's assertion, which does not say whom it answers, in an unsigned response to one's own request."""
    own: list[str] = []

    def victims(root: Any) -> None:
        own.append(root.get("InResponseTo"))
        unset(DATA, "InResponseTo")(root)
        root.set("InResponseTo", "_victims")

    return linked(company, victims, after=lambda root: root.set("InResponseTo", own[0]))


def the_same_twice(company: Company) -> bool:
    company.link()
    messages: list[str] = []
    for _ in range(2):
        browser = Browser(company.connection)
        asked = browser.ask()
        if not messages:
            root = minting.response(browser.provider.answer(company.connection, asked))
            unasked(root)
            minting.sign(minting.assertion_of(root), browser.provider.signer)
            messages.append(minting.encoded(root))
        found = goes_in(browser, messages[0], str(asked.pk))
    return found is not None


def crashes(company: Company, message: str) -> bool:
    try:
        return bool(Browser(company.connection).post(message).status_code >= 500)
    except Exception:  # noqa: BLE001 - whatever it is, the server would have answered 500
        return True


def a_doctype(company: Company) -> bool:
    return linked(company, text=lambda it: f'<!DOCTYPE r [<!ENTITY x "x">]>{it}')


def logged_out(company: Company) -> bool:
    """Send a LogoutRequest that nobody signed, for another person, by Olivia's browser."""
    company.link()
    browser = Browser(company.connection)
    browser.sign_in()
    assert browser.person
    where = f"/sso/{company.connection.provider_id}/sls/"
    request = (
        f'<p:LogoutRequest xmlns:p="{minting.SAMLP}" xmlns:a="{minting.SAML}" ID="_1" Version="2.0" '
        f'IssueInstant="{minting.moment(timezone.now())}" Destination="http://testserver{where}">'
        f"<a:Issuer>{ENTITY_ID}</a:Issuer><a:NameID>nobody@evil.example</a:NameID></p:LogoutRequest>"
    )
    packer = zlib.compressobj(wbits=-15)
    packed = base64.b64encode(packer.compress(request.encode()) + packer.flush()).decode()
    browser.client.get(where, {"SAMLRequest": packed})
    return browser.person is None


def our_metadata(company: Company, is_bad: Callable[[str], bool]) -> bool:
    """Ask for the metadata of an account that has only begun, under a host of the attacker's."""
    owner = make.member(make.tenant("Begun"))
    with tenancy.scope(tenant_id=owner.tenant_id):
        begun = connecting.begin(tenant_id=owner.tenant_id, by=make.actor(owner), at=timezone.now())
    try:
        answer = Client(HTTP_HOST="evil.example").get(reverse("sso:metadata", args=[begun.provider_id]))
    except Exception:  # noqa: BLE001 - as above
        return True
    return is_bad(answer.content.decode()) or answer.status_code != 200


def within_the_network(company: Company) -> bool:
    """Give the address of something on this machine as that of metadata, and see whether it is asked."""
    asked: list[str] = []

    class Inside(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Inside) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        refusals = contextlib.suppress(sso_sources.UnableToFollow, connecting.UnableToConnect)
        with tenancy.scope(tenant_id=company.tenant_id), refusals:
            sso_sources.follow(
                tenant_id=company.tenant_id, url=f"http://127.0.0.1:{server.server_port}/secret",
                by=company.owner, at=timezone.now(),
            )  # fmt: skip
        if not asked:  # let the thread end
            urlopen(f"http://127.0.0.1:{server.server_port}/over").close()
    return asked[0] == "/secret"


def the_old_key(company: Company) -> bool:
    """See whether people are locked out while the provider changes its key."""
    company.link()
    document = Provider().metadata(signer("next", days=800))
    with tenancy.scope(tenant_id=company.tenant_id):
        connecting.connect(tenant_id=company.tenant_id, document=document, by=company.owner, at=timezone.now())
    return not enters(company)


def not_told(company: Company, change: Change) -> bool:
    """See whether an odd name ends in a crash, or in no word of it."""
    company.link()
    try:
        enters(company, change)
    except Exception:  # noqa: BLE001 - as above
        return True
    return company.last().verdicts.get("subject") != "fail"


def destination(change: Callable[[str], str | None]) -> Change:
    def apply(root: Any) -> None:
        wanted = change(root.attrib.pop("Destination"))
        if wanted is not None:
            root.set("Destination", wanted)

    return apply


def contains_ours(root: Any) -> None:
    saml(root, DATA).set("Recipient", f"https://evil.example/?{root.get('Destination')}")


def over_for(span: timedelta) -> Change:
    return lambda root: put("Conditions", "NotOnOrAfter", minting.moment(timezone.now() - span))(root)


def forge(change: Change, **more: Any) -> Callable[[Company], bool]:
    return lambda company: linked(company, change, **more)


NOTHING: Change = lambda root: None  # noqa: E731  (a name for doing nothing)


SHA1 = {"method": constants.TransformRsaSha1, "digest": constants.TransformSha1}


def put_name(text: str) -> Change:
    return lambda root: setattr(saml(root, "NameID"), "text", text)
