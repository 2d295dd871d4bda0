"""Turning our measures against forged sign-ins off, one by one, in the ways of the packages that lack them."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any
from urllib.request import urlopen

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from accounts import signin
from accounts.domain import assertions, connections, signing_in
from accounts.domain.signing_in import Decision, Outcome, Reason
from accounts.domain.verdicts import Code, Judgement
from accounts.models import SsoCertificate
from accounts.queries import sso as known
from core import ports
from core.outbound import Reply
from core.saml import ProviderMetadata, SigningCertificate
from portal.adapters.saml import OneloginProvider, second
from tests import make
from tests.sso import ENTITY_ID, signer

type Patch = pytest.MonkeyPatch


def without(*codes: Code) -> Callable[[Patch], None]:
    """Turn checks of the strict layer off."""

    def off(patch: Patch) -> None:
        real = assertions.judge

        def judge(*args: Any, **named: Any) -> Judgement:
            return Judgement(tuple(check for check in real(*args, **named).checks if check.code not in codes))

        patch.setattr(assertions, "judge", judge)

    return off


def both(*turns: Callable[[Patch], None]) -> Callable[[Patch], None]:
    return lambda patch: [turn(patch) for turn in turns] and None


def without_second_opinion(patch: Patch) -> None:
    patch.setattr(second, "objection", lambda *args, **named: "")


def keys_by_entity_id(patch: Patch) -> None:
    """Find a provider's keys by what it calls itself, as allauth does, whoever entered it."""
    real = known.provider
    with make.arranging():
        rows = list(SsoCertificate.objects.filter(connection__entity_id=ENTITY_ID))
    all_of_them = tuple(
        SigningCertificate(row.der, row.fingerprint, row.subject, row.not_before, row.not_after) for row in rows
    )
    patch.setattr(known, "provider", lambda connection: replace(real(connection), certificates=all_of_them))


def sign_in_by_address(patch: Patch) -> None:
    """Sign in whoever has the address, as email authentication does."""

    def decide(facts: signing_in.Facts) -> Decision:
        (member,) = [each for each in facts.members if each.address in facts.addresses]
        return Decision(Outcome.SIGNED_IN, Reason.LINKED_BY_RULE, member.member_id, links=True)

    patch.setattr(signing_in, "decide", decide)


def wiping_logins(patch: Patch) -> None:
    """Take the password of whoever's address is not verified, as `wipe_password` of allauth's social accounts does."""
    real = signin.perform_login

    def login(request: HttpRequest, user: Any, **more: Any) -> Any:
        if not EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists():
            user.set_unusable_password()
            user.save(update_fields=["password"])
        return real(request, user, **more)

    patch.setattr(signin, "perform_login", login)


def uncaught(module: ModuleType, name: str) -> Callable[[Patch], None]:
    """Let an error pass that is caught there."""
    return lambda patch: patch.setattr(module, name, type("Never", (Exception,), {"code": 0}))


def with_single_logout(patch: Patch) -> None:
    """Serve a logout as python3-saml takes it by default."""

    @csrf_exempt
    def leave(request: HttpRequest, provider_id: str) -> HttpResponse:
        asked = {"http_host": "testserver", "script_name": request.path, "get_data": request.GET.dict()}
        idp = {"entityId": ENTITY_ID, "x509cert": signer().der}
        services = {name: {"url": f"http://testserver{request.path}"} for name in ("singleLogoutService",)}
        acs = {"assertionConsumerService": {"url": "http://testserver/"}}
        sign_on = {"singleSignOnService": {"url": "http://testserver/"}}
        lax = {"allowSingleLabelDomains": True}
        of_it = {
            "strict": True,
            "security": lax,
            "sp": {"entityId": "x", **services, **acs},
            "idp": {**idp, **services, **sign_on},
        }
        OneLogin_Saml2_Auth(asked, old_settings=of_it).process_slo(delete_session_cb=request.session.flush)
        return HttpResponse()

    urls: Any = ModuleType("with_single_logout")
    root = __import__(settings.ROOT_URLCONF, fromlist=["urlpatterns"])
    urls.urlpatterns = [path("sso/<slug:provider_id>/sls/", leave), *root.urlpatterns]
    for name in ("handler400", "handler403", "handler404", "handler500"):
        if hasattr(root, name):
            setattr(urls, name, getattr(root, name))
    patch.setattr(settings, "ROOT_URLCONF", urls)


def any_host(patch: Patch) -> None:
    patch.setattr(settings, "ALLOWED_HOSTS", ["*"])


def metadata_of_a_whole_connection(patch: Patch) -> None:
    """Write our metadata from settings that want a provider, as allauth does."""
    nobody = ProviderMetadata("", "", ())
    patch.setattr(
        OneloginProvider, "describe", lambda self, sp, **more: second._settings(sp, nobody).get_sp_metadata().decode()
    )


def metadata_of_the_package(patch: Patch) -> None:
    def describe(self: OneloginProvider, sp: Any, **more: Any) -> str:
        of_us = {"sp": {"entityId": sp.entity_id, "assertionConsumerService": {"url": sp.acs_url}}}
        return str(OneLogin_Saml2_Settings(of_us, sp_validation_only=True).get_sp_metadata().decode())

    patch.setattr(OneloginProvider, "describe", describe)


def addresses_by_host(patch: Patch) -> None:
    hosts: list[str] = []

    def is_failover(host: str) -> bool:
        hosts.append(host)
        return False

    patch.setattr(known, "is_failover", is_failover)
    patch.setattr(
        known,
        "service_provider",
        lambda connection, **more: connections.service_provider(
            public_url=f"http://{hosts[-1]}", provider_id=connection.provider_id
        ),
    )


def plain_fetching(patch: Patch) -> None:
    class Plain:
        def check(self, url: str) -> str:
            return url

        def get(self, url: str, **more: Any) -> Reply:
            with urlopen(url) as answer:
                return Reply(answer.status, {}, answer.read(), 1)

    patch.setattr(ports, "outbound", Plain)


def one_certificate(patch: Patch) -> None:
    real = known.provider

    def newest(connection: Any) -> ProviderMetadata:
        found = real(connection)
        return replace(found, certificates=found.certificates[:1])

    patch.setattr(known, "provider", newest)


ODD = both(without(Code.SUBJECT, Code.EMAIL), uncaught(second, "OneLogin_Saml2_ValidationError"))
"""Our check off, and the package's own error uncaught: it is what allauth does with it."""


def old_algorithms(patch: Patch) -> None:
    """Take SHA-1, as the package does unless told otherwise."""
    without(Code.ALGORITHMS)(patch)
    real = second._settings

    def lax(*args: Any) -> OneLogin_Saml2_Settings:
        found = real(*args)
        found.get_security_data()["rejectDeprecatedAlgorithm"] = False
        return found

    patch.setattr(second, "_settings", lax)
