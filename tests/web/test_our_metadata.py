"""What providers are told of us: signed, the same to the letter, borne out by programs that share no code with ours."""

import subprocess
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import SsoConnection
from accounts.services import sso as connecting
from core import ledger, tenancy
from portal import saml_keys
from tests.company import Company, found
from tests.sso import Provider, signer

pytestmark = pytest.mark.django_db
ENTITY = "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor"


@pytest.fixture
def company() -> Company:
    return found()


def events(company: Company) -> list[str]:
    return [entry.event for entry in ledger.recent(tenant_id=company.tenant_id, limit=100)]


def described(connection: SsoConnection) -> str:
    answer = Client().get(reverse("sso:metadata", args=[connection.provider_id]))
    return answer.content.decode()


def borne_out(document: str, certificate: str, folder: Path) -> bool:
    """Ask Debian's xmlsec1."""
    (folder / "metadata.xml").write_text(document)
    (folder / "certificate.pem").write_text(certificate)
    command = ["xmlsec1", "--verify", "--id-attr:ID", ENTITY, "--pubkey-cert-pem", "certificate.pem", "metadata.xml"]
    return not subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode


def use(settings: Settings, *names: str) -> None:
    words = [saml_keys.packed(signer(name)) for name in names]
    backend = settings.ADAPTERS["identity_provider"]
    settings.ADAPTERS = {**settings.ADAPTERS, "identity_provider": {**backend, "OPTIONS": {"keys": words}}}


def test_they_are_signed_and_do_not_change_by_themselves(company: Company, settings: Settings, tmp_path: Path) -> None:
    document = described(company.connection)
    assert document == described(company.connection)
    ours = saml_keys.read(settings.SAML_KEYS[0])
    assert ours.der in document
    assert borne_out(document, ours.certificate, tmp_path)
    assert not borne_out(document, signer().certificate, tmp_path)
    assert not borne_out(document.replace("/acs/", "/acs2/"), ours.certificate, tmp_path)
    assert "validUntil" not in document


def test_a_key_of_ours_changes_and_both_are_told_meanwhile(
    company: Company, settings: Settings, tmp_path: Path
) -> None:
    for names in (["one", "two"], ["two", "one"], ["two"]):
        use(settings, *names)
        document = described(company.connection)
        assert [signer(name).der in document for name in ("one", "two")] == ["one" in names, True]
        assert borne_out(document, signer(names[0]).certificate, tmp_path)


def test_a_provider_that_asks_no_more_is_heeded(company: Company) -> None:
    wants = Provider().metadata().replace(b'Signed="false"', b'Signed="true"')
    with tenancy.scope(tenant_id=company.tenant_id):
        for document, expected in ((wants, True), (wants, True), (Provider().metadata(), False)):
            row = connecting.connect(
                tenant_id=company.tenant_id, document=document, by=company.owner, at=timezone.now()
            )
            assert row.wants_signed_requests is expected
        assert events(company).count("accounts.sso.requests_signed") == 1
