"""`manage.py verify_pack`: proves a pack, and refutes one altered byte wherever it is."""

from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.management import CommandError, call_command

from core.approvals import seals
from tests.packs import signed_archive

OURS = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.LEDGER_SIGNING_KEY))


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    file = tmp_path / "pack.zip"
    file.write_bytes(signed_archive(key=OURS))
    return file


def _run(*arguments: object) -> str:
    said = StringIO()
    call_command("verify_pack", *map(str, arguments), stdout=said)
    return said.getvalue()


def test_an_untouched_pack_is_proven(pack: Path) -> None:
    said = _run(pack)
    assert "customer_approver signed by user" in said
    assert said.endswith("The pack holds.\n")


def test_it_needs_no_database(pack: Path) -> None:
    # Without the `db` mark pytest-django refuses every query, so that this passed is the proof.
    assert "holds" in _run(pack, "--server-key", seals.public_key().hex())


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999])
def test_one_altered_byte_is_refuted(pack: Path, share: float) -> None:
    data = bytearray(pack.read_bytes())
    data[int(share * len(data))] ^= 1
    pack.write_bytes(data)
    with pytest.raises(CommandError, match="does NOT hold"):
        _run(pack)


def test_a_pack_of_another_server_is_refuted(pack: Path) -> None:
    pack.write_bytes(signed_archive(key=Ed25519PrivateKey.generate()))
    with pytest.raises(CommandError, match="sealed by another server's key"):
        _run(pack)


def test_a_file_that_is_none_and_a_key_that_is_none_are_named(pack: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        _run(pack.with_name("missing.zip"))
    with pytest.raises(CommandError, match="64 hexadecimal digits"):
        _run(pack, "--server-key", "zz")
    pack.write_text("not a pack")
    with pytest.raises(CommandError, match="cannot be read"):
        _run(pack)
