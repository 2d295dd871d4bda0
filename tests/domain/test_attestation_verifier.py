"""An attestation verifies offline, and not one byte of it may change."""

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from compliance import verifier
from compliance.domain import attestations

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
AT = datetime(2026, 11, 26, 9, tzinfo=UTC)


def statement(**left: int) -> bytes:
    return attestations.deletion(
        attestation_id=uuid4(), tenant_id=uuid4(), dataset="stage", purpose="moving", deleted={"run": 4, "outcome": 90},
        left=left or {"run": 0, "outcome": 0}, verified="counted again", deleted_at=AT, requested_by=uuid4(),
        parity_sha256="ab" * 32, accepted={"rejected_rows": 1, "differences": 2, "exceptions": []},
    )  # fmt: skip


def sealed(body: bytes, *, key: Ed25519PrivateKey = KEY) -> bytes:
    file = {
        "algorithm": "Ed25519", "public_key": key.public_key().public_bytes_raw().hex(),
        "signature": key.sign(verifier.seal_input(body)).hex(), "statement": base64.b64encode(body).decode(),
    }  # fmt: skip
    return json.dumps(file, sort_keys=True, separators=(",", ":")).encode()


FILE = sealed(statement())


def test_what_was_sealed_holds():
    report = verifier.verify(FILE, server_key=PUBLIC)
    assert report.problems == []
    assert report.said["deleted"] == {"run": 4, "outcome": 90}
    assert report.said["accepted"]["rejected_rows"] == 1
    assert report.public_key == PUBLIC.hex()


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
@example(FILE.index(PUBLIC.hex().encode()) + 2, 0x20)  # a letter of the key in upper case: the same key
def test_one_byte_changed_is_refuted(place, by):
    changed = bytearray(FILE)
    changed[place] ^= by
    assert not verifier.verify(bytes(changed), server_key=PUBLIC).holds


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_whatever_else_is_refuted_and_never_a_crash(data):
    assert not verifier.verify(data, server_key=PUBLIC).holds


def test_another_servers_seal_is_refuted():
    other = Ed25519PrivateKey.generate()
    assert verifier.verify(sealed(statement(), key=other), server_key=PUBLIC).problems == [
        "it is sealed by another server's key"
    ]


def test_a_deletion_that_left_rows_is_never_attested():
    with pytest.raises(ValueError, match="Rows are left"):
        statement(run=0, outcome=1)
    said = json.loads(statement())
    said["verified"]["left"]["run"] = 1
    assert not verifier.verify(sealed(json.dumps(said).encode()), server_key=PUBLIC).holds


def test_a_file_of_another_kind_is_refuted():
    said = json.loads(statement()) | {"format": "crossing-evidence-v1"}
    assert "unknown format" in verifier.verify(sealed(json.dumps(said).encode()), server_key=PUBLIC).problems[0]


@pytest.mark.parametrize(("content", "code"), [(FILE, 0), (FILE.replace(b"A", b"B", 1), 1)])
def test_the_verifier_runs_by_itself_outside_of_the_project(tmp_path: Path, content, code):
    (tmp_path / "a.json").write_bytes(content)
    script = tmp_path / "verify_attestation.py"
    script.write_bytes(Path(verifier.__file__).read_bytes())
    command = [sys.executable, "-I", str(script), "a.json", "--server-key", PUBLIC.hex()]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert ("The attestation holds." in ran.stdout) is (code == 0)
