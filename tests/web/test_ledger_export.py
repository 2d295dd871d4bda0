"""Taking the ledger out: who may, what they get, and that it proves itself."""

import subprocess
import sys

import pytest
from django.db import transaction
from django.utils import timezone

from core import chain, ledger, tenancy
from tests import make


@pytest.fixture
def ours(db):
    ours, theirs = make.tenant("Ours", slug="ours"), make.tenant("Theirs", slug="theirs")
    for tenant in (ours, theirs):
        with tenancy.scope(tenant_id=tenant.pk), transaction.atomic():
            ledger.record(
                "tests.note.made", by=make.SYSTEM, at=timezone.now(), tenant_id=tenant.pk, subject=("note", tenant.slug)
            )  # fmt: skip
    return ours


def download(client, role: str, tenant, slug: str = "ours"):
    client.force_login(make.member(tenant, role).user)
    return client.post(f"/t/{slug}/activity/export/")


def test_an_auditor_takes_out_a_file_that_proves_itself(client, ours):
    response = download(client, "auditor", ours)
    text = b"".join(response).decode()
    assert response["Content-Disposition"].startswith('attachment; filename="ours-ledger-')
    verdict = chain.verify(text.splitlines(), public_keys=[bytes.fromhex(ledger.public_key())])
    assert verdict.proven, verdict.faults
    assert (verdict.chain, verdict.entries) == (str(ours.pk), 2), "the note, and that it was taken out"
    assert "theirs" not in text


def test_the_page_offers_it_with_the_key(client, ours):
    client.force_login(make.member(ours, "auditor").user)
    page = client.get("/t/ours/activity/").content.decode()
    assert "Download the ledger" in page
    assert ledger.public_key() in page


def test_the_page_offers_the_verifier(client, ours, tmp_path):
    client.force_login(make.member(ours, "auditor").user)
    assert "/t/ours/activity/verifier/" in client.get("/t/ours/activity/").content.decode()
    verifier, file = tmp_path / "verify_ledger.py", tmp_path / "ours.jsonl"
    verifier.write_bytes(client.get("/t/ours/activity/verifier/").content)
    file.write_bytes(b"".join(client.post("/t/ours/activity/export/")))
    command = [sys.executable, "-I", verifier, file, "--public-key", ledger.public_key()]
    assert "PROVEN" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_taking_it_out_is_a_deed_and_not_a_link(client, ours):
    client.force_login(make.member(ours, "auditor").user)
    assert client.get("/t/ours/activity/export/").status_code == 405


def test_a_member_may_not(client, ours):
    assert download(client, "member", ours).status_code == 403


def test_a_stranger_finds_nothing(client, ours):
    assert download(client, "owner", ours, slug="theirs").status_code == 404
