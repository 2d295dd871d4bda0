"""A pack verifies offline, and one altered byte anywhere in it refutes it."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from core.evidence import packs, verifier
from tests import packs as made
from tests.passkeys import PRESENT, Passkey

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
PACK = made.signed_archive(key=KEY)


def _files(data: bytes = PACK) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _resealed(changes: dict[str, bytes], *, key: Ed25519PrivateKey = KEY) -> bytes:
    """Alter files and seal the pack again, as an insider with the server's key could."""
    files = _files() | changes
    files[verifier.SEAL] = packs.canonical(
        {
            "algorithm": "Ed25519",
            "public_key": key.public_key().public_bytes_raw().hex(),
            "signature": key.sign(verifier.sealed_listing(files)).hex(),
        }
    )
    return verifier.write_archive(files)


def _edited(name: str, **changes: object) -> dict[str, bytes]:
    return {name: packs.canonical(json.loads(_files()[name]) | changes)}


def _problems(data: bytes) -> str:
    return "\n".join(verifier.verify(data, server_key=PUBLIC).problems)


def test_an_untouched_pack_holds_and_says_what_it_proves() -> None:
    report = verifier.verify(PACK, server_key=PUBLIC)
    assert report.problems == []
    assert any("customer_approver signed by user" in line and "(passkey)" in line for line in report.proven)
    assert any("totp, lower assurance" in line for line in report.proven)
    assert "the request is approved" in report.proven


@settings(max_examples=300, deadline=None)
@given(position=st.integers(0, len(PACK) - 1), flip=st.integers(1, 255))
def test_one_altered_byte_anywhere_refutes_the_pack(position: int, flip: int) -> None:
    altered = bytearray(PACK)
    altered[position] ^= flip
    assert not verifier.verify(bytes(altered), server_key=PUBLIC).holds


@pytest.mark.slow
def test_every_single_byte_counts() -> None:
    altered, missed = bytearray(PACK), []
    for position in range(len(PACK)):
        altered[position] ^= 1
        if verifier.verify(bytes(altered), server_key=PUBLIC).holds:
            missed.append(position)
        altered[position] ^= 1
    assert missed == []


def test_one_altered_byte_in_each_file_refutes_the_pack_even_when_the_archive_is_written_anew() -> None:
    for name, body in _files().items():
        for position in {0, len(body) // 2, len(body) - 1}:
            altered = bytearray(body)
            altered[position] ^= 1
            files = _files() | {name: bytes(altered)}
            assert not verifier.verify(verifier.write_archive(files), server_key=PUBLIC).holds, (name, position)


@pytest.mark.parametrize("cut", [1, 100, len(PACK) - 1], ids=["a byte", "a hundred", "all but one"])
def test_a_truncated_pack_is_refuted(cut: int) -> None:
    assert not verifier.verify(PACK[:-cut], server_key=PUBLIC).holds


def test_bytes_before_or_after_the_archive_are_refuted() -> None:
    assert "the archive's own bytes were altered" in _problems(PACK + b"\n")
    assert "the archive's own bytes were altered" in _problems(b"#" + PACK)


# What an insider who holds the server's key still cannot do.


def test_an_altered_part_does_not_hash_to_the_signed_digest() -> None:
    forged = _resealed({"evidence/parts/backfills.totals.json": b'{"flights":54635,"quarantined":9}'})
    assert "part backfills.totals was altered" in _problems(forged)
    assert "the parts do not hash to the evidence digest" in _problems(forged)


def test_a_part_altered_together_with_its_manifest_is_not_what_was_signed() -> None:
    other = made.pack(**{"backfills.totals": {"flights": 1}})
    changes = {f"evidence/parts/{part.name}.json": part.body for part in other.parts} | {
        verifier.MANIFEST: other.manifest
    }
    changes |= _edited(verifier.REQUEST, evidence_sha256=other.evidence_sha256)
    assert "the statement names other evidence than this pack's" in _problems(_resealed(changes))


def test_an_altered_statement_is_not_what_the_passkey_signed() -> None:
    name = "approval/signatures/1/statement.json"
    record = json.loads(_files()["approval/signatures/1/signature.json"])
    statement = json.loads(_files()[name]) | {"nonce": "another"}
    body = packs.canonical(statement)
    record["seal"] = KEY.sign(verifier.signature_seal_input(record, body)).hex()
    changes = {name: body, "approval/signatures/1/signature.json": packs.canonical(record)}
    assert "signature 1: the passkey signed another challenge than this statement's" in _problems(_resealed(changes))


def test_another_persons_passkey_does_not_verify() -> None:
    record = json.loads(_files()["approval/signatures/1/signature.json"])
    record["credential"] = verifier.encode_base64url(Passkey().attested)
    record["seal"] = KEY.sign(
        verifier.signature_seal_input(record, _files()["approval/signatures/1/statement.json"])
    ).hex()
    changes = {"approval/signatures/1/signature.json": packs.canonical(record)}
    assert "signature 1: the passkey's signature does not verify" in _problems(_resealed(changes))


def test_a_signature_of_lower_assurance_needs_the_servers_seal() -> None:
    changes = _edited("approval/signatures/2/signature.json", authenticated_at=packs.moment(made.AT.replace(hour=3)))
    assert "signature 2: the server's seal of a signature does not verify" in _problems(_resealed(changes))


def _signed_anew(number: int, **changes: object) -> dict[str, bytes]:
    """Alter a signature's record and seal it again."""
    folder = f"approval/signatures/{number}"
    record = json.loads(_files()[f"{folder}/signature.json"]) | changes
    record["seal"] = KEY.sign(verifier.signature_seal_input(record, _files()[f"{folder}/statement.json"])).hex()
    return {f"{folder}/signature.json": packs.canonical(record)}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (_signed_anew(1, user=str(made.STAFF)), "signature 1: the statement names another person than the signature"),
        (_signed_anew(1, sign_count=9), "signature 1: the recorded signature counter is not the authenticator's"),
        (_signed_anew(1, rp_id="evil.example"), "signature 1: the passkey signed for another site"),
        (_signed_anew(2, method="wink"), "signature 2: unknown signature method wink"),
        (_edited(verifier.REQUEST, action="other"), "the parts of the pack name different values of action"),
        (_edited(verifier.REQUEST, tenant="other"), "the parts of the pack name different values of tenant"),
        (_edited(verifier.REQUEST, action="other"), "signature 1: the statement is about another action or tenant"),
        (_edited(verifier.REQUEST, tenant="other"), "signature 2: the statement is about another action or tenant"),
        (_edited(verifier.REQUEST, evidence_sha256="0" * 64), "the request is about other evidence"),
        (_edited(verifier.MANIFEST, material_sha256="0" * 64), "the material digest is not that of the part"),
        (_edited(verifier.MANIFEST, format="crossing-evidence-v9"), "unknown format crossing-evidence-v9"),
        (_edited(verifier.MANIFEST, parts="none"), "malformed"),
        ({verifier.REQUEST: b'{"state":"open","state":"approved"}'}, "a key appears twice"),
        ({verifier.REQUEST: b"{"}, "malformed"),
    ],
)
def test_an_insiders_forgery_is_refuted_by_what_contradicts_it(changes: dict[str, bytes], problem: str) -> None:
    assert problem in _problems(_resealed(changes))


def test_the_same_signature_twice_is_refuted() -> None:
    files = _files()
    changes = {
        f"approval/signatures/2/{name}.json": files[f"approval/signatures/1/{name}.json"]
        for name in ("statement", "signature")
    }
    assert "one person, one seat or one nonce signed twice" in _problems(_resealed(changes))


def test_a_request_called_approved_with_a_signature_missing_is_refuted() -> None:
    files = {name: body for name, body in _files().items() if not name.startswith("approval/signatures/2/")}
    files |= _edited(verifier.REQUEST, signatures=1)
    files[verifier.SEAL] = packs.canonical(
        {
            "algorithm": "Ed25519",
            "public_key": PUBLIC.hex(),
            "signature": KEY.sign(verifier.sealed_listing(files)).hex(),
        }
    )
    assert "approved without all its signatures" in _problems(verifier.write_archive(files))


def test_a_signature_after_its_statement_expired_is_refuted() -> None:
    record = json.loads(_files()["approval/signatures/2/signature.json"])
    record["signed_at"] = "2026-11-22T12:05:00.000000Z"
    statement = _files()["approval/signatures/2/statement.json"]
    record["seal"] = KEY.sign(verifier.signature_seal_input(record, statement)).hex()
    changes = {"approval/signatures/2/signature.json": packs.canonical(record)}
    assert "signature 2: the signature was given outside its statement's time" in _problems(_resealed(changes))


def test_material_facts_that_are_not_the_findings_are_refuted() -> None:
    other = packs.build(action=made.ACTION, tenant_id=made.TENANT, at=made.AT, findings=[], parts={})
    changes = {"evidence/parts/core.findings.json": next(p.body for p in other.parts if p.name == packs.FINDINGS)}
    assert "the material facts are not those of the findings" in _problems(_resealed(changes))


def test_a_smuggled_file_is_refuted() -> None:
    assert "files too many or missing: ['evil.txt']" in _problems(_resealed({"evil.txt": b"x"}))


def test_a_pack_sealed_by_another_key_is_refuted_when_the_key_is_pinned() -> None:
    stranger = Ed25519PrivateKey.generate()
    assert "sealed by another server's key" in _problems(made.signed_archive(key=stranger))


def test_a_passkey_that_did_not_verify_its_user_is_refuted() -> None:
    class Careless(Passkey):
        def answer(self, challenge: bytes, /, **_: Any) -> dict[str, Any]:
            return super().answer(challenge, flags=PRESENT)

    assert "did not verify the user" in _problems(made.signed_archive(key=KEY, passkey=Careless()))


def test_a_passkey_asked_by_another_site_is_refuted() -> None:
    phished = Passkey(origin="https://localhost.evil.example")
    assert "the passkey signed for another site" in _problems(made.signed_archive(key=KEY, passkey=phished))


def test_the_verifier_inside_the_pack_runs_without_crossing(tmp_path: Path) -> None:
    (tmp_path / "pack.zip").write_bytes(PACK)
    (tmp_path / "verify_pack.py").write_bytes(_files()["verify_pack.py"])

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "verify_pack.py", "pack.zip", *more]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    held = run("--server-key", PUBLIC.hex())
    assert (held.returncode, "The pack holds." in held.stdout) == (0, True)
    (tmp_path / "pack.zip").write_bytes(PACK[:-1] + b"\x01")
    refuted = run()
    assert refuted.returncode == 1
    assert "REFUTED" in refuted.stdout
    assert "does NOT hold" in refuted.stdout
