"""The proof of an exported ledger: every way to tamper with it, one test each, the forger being as able as can be.

A forger who owns the database can recompute every hash. What they lack is the signing key and the witnesses that
others hold; the tests give them everything else.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from core import chain

SEED, FORGERS_SEED = bytes(range(32)), bytes(reversed(range(32)))
PUBLIC = chain.public_bytes(SEED)
CHAIN = str(uuid4())

type Record = dict[str, Any]


def body(number: int, **changed: Any) -> bytes:
    return chain.canonical({"chain": CHAIN, "event": "a.b.c", "data": {"n": number}, **changed})


def build(plan: Sequence[bytes | None], *, seed: bytes = SEED) -> list[Record]:
    """Return an export: for each body an entry, for each None a checkpoint."""
    prev, number, seal, seq = chain.genesis(CHAIN), 0, chain.genesis(CHAIN).hex(), 0
    records: list[Record] = [{"format": chain.FORMAT, "chain": CHAIN}]
    for item in plan:
        if item is not None:
            seq += 1
            link = chain.entry_hash(prev, item)
            records.append({"seq": seq, "prev": prev.hex(), "hash": link.hex(), "body": item.decode()})
            prev = link
            continue
        number += 1
        text = chain.canonical({
            "chain": CHAIN, "number": number, "prev": seal, "seq": seq, "head": prev.hex(),
            "key": chain.key_id(chain.public_bytes(seed)),
        })  # fmt: skip
        records.append({"body": text.decode(), "signature": chain.sign(seed, text).hex()})
        seal = hashlib.sha256(text).hexdigest()
    return records


HONEST = build([body(1), body(2), None, body(3), body(4), None, body(5), body(6), None])
"""Lines 1, 2, [3], 4, 5, [6], 7, 8, [9]; checkpoints in brackets."""


def judge(records: Sequence[Record], *, witnesses: Sequence[str] = (), key: bytes = PUBLIC) -> chain.Verdict:
    return chain.verify([json.dumps(record) for record in records], public_keys=[key], witnesses=witnesses)


def kinds(records: Sequence[Record], **options: Any) -> set[str]:
    return {fault.kind for fault in judge(records, **options).faults}


def tampered(change: Callable[[list[Record]], object]) -> list[Record]:
    records = deepcopy(HONEST)
    change(records)
    return records


def witnesses_of(records: Sequence[Record]) -> list[str]:
    return [hashlib.sha256(record["body"].encode()).hexdigest() for record in records if "signature" in record]


def test_an_honest_export_is_proven():
    verdict = judge(HONEST, witnesses=witnesses_of(HONEST))
    assert verdict.proven, verdict.faults
    assert (verdict.entries, verdict.checkpoints, verdict.sealed) == (6, 3, 6)
    assert verdict.witness == witnesses_of(HONEST)[-1]


def test_an_edit_is_found():
    records = tampered(lambda r: r[4].update(body=body(33).decode()))
    assert kinds(records) == {"edited"}


def test_an_edit_with_its_hash_recomputed_is_found():
    def change(records: list[Record]) -> None:
        new = body(33)
        records[4].update(body=new.decode(), hash=chain.entry_hash(bytes.fromhex(records[4]["prev"]), new).hex())

    assert "broken link" in kinds(tampered(change))


def test_a_deletion_is_found():
    assert {"deleted", "broken link"} <= kinds(tampered(lambda r: r.pop(4)))


def test_a_reordering_is_found():
    def change(records: list[Record]) -> None:
        records[4], records[5] = records[5], records[4]

    assert {"reordered", "broken link"} <= kinds(tampered(change))


def test_a_reordering_with_renumbered_places_is_found():
    def change(records: list[Record]) -> None:
        records[4], records[5] = records[5] | {"seq": 3}, records[4] | {"seq": 4}

    assert "broken link" in kinds(tampered(change))


def test_a_fork_is_found():
    def change(records: list[Record]) -> None:
        other = body(44)
        prev = bytes.fromhex(records[4]["hash"])
        records.insert(
            6, {"seq": 4, "prev": prev.hex(), "hash": chain.entry_hash(prev, other).hex(), "body": other.decode()}
        )

    assert {"forked", "broken link"} <= kinds(tampered(change))


def test_a_chain_rebuilt_from_an_edit_is_found_by_the_old_signatures():
    """Every hash recomputed, the true checkpoints kept: they sign another head."""
    forged = build([body(1), body(22), None, body(3), body(4), None, body(5), body(6), None])
    for line in (3, 6, 9):
        forged[line] = HONEST[line]
    assert kinds(forged) == {"rewritten"}


def test_a_chain_rebuilt_and_signed_with_another_key_is_found():
    forged = build([body(1), body(22), None, body(3), body(4), None], seed=FORGERS_SEED)
    assert kinds(forged) == {"wrong key"}
    assert judge(forged, key=chain.public_bytes(FORGERS_SEED)).proven, "only the trusted key tells them apart"


def test_a_checkpoint_that_claims_the_trusted_key_is_found():
    forged = build([body(1), None], seed=FORGERS_SEED)
    claim = json.loads(forged[2]["body"]) | {"key": chain.key_id(PUBLIC)}
    text = chain.canonical(claim)
    forged[2] = {"body": text.decode(), "signature": chain.sign(FORGERS_SEED, text).hex()}
    assert kinds(forged) == {"forged checkpoint"}


def test_a_missing_checkpoint_is_found():
    assert kinds(tampered(lambda r: r.pop(6))) == {"missing checkpoint"}


def test_a_missing_first_checkpoint_is_found():
    assert kinds(tampered(lambda r: r.pop(3))) == {"missing checkpoint"}


def test_a_truncated_tail_is_found_by_the_witness():
    """Cut at a checkpoint, the rest is whole and truly signed: only who holds the witness can tell."""
    cut = HONEST[:7]
    assert judge(cut).proven
    assert kinds(cut, witnesses=witnesses_of(HONEST)[-1:]) == {"truncated"}


def test_a_tail_that_grew_anew_after_a_cut_is_found_by_the_witness():
    """A restored old backup that lives on: truly signed, yet not the history somebody was shown."""
    regrown = build([body(1), body(2), None, body(3), body(4), None, body(55), None])
    assert judge(regrown).proven
    assert kinds(regrown, witnesses=witnesses_of(HONEST)) == {"truncated"}


def test_a_tail_cut_between_checkpoints_is_found():
    assert kinds(HONEST[:8]) == {"unsealed"}
    assert "unsealed" in kinds(tampered(lambda r: r.pop()))


def test_an_entry_without_its_checkpoints_is_unsealed():
    assert kinds(build([body(1), body(2)])) == {"unsealed"}


def test_an_entry_of_another_chain_is_found():
    assert "foreign" in kinds(build([body(1, chain=str(uuid4())), None]))


def test_another_chains_export_under_this_header_is_found():
    records = tampered(lambda r: r[0].update(chain=str(uuid4())))
    assert {"foreign", "broken link", "missing checkpoint"} <= kinds(records)


def test_words_that_are_not_canonical_are_found():
    loose = f'{{"chain": "{CHAIN}"}}'.encode()
    assert kinds(build([loose, None])) == {"not canonical"}
    twice = f'{{"chain":"{CHAIN}","chain":"{CHAIN}"}}'.encode()
    assert kinds(build([twice, None])) == {"not canonical"}


@pytest.mark.parametrize("lines", [[], ["nonsense"], ["[]"], ['{"format": "another"}']])
def test_what_is_no_export_is_refuted(lines):
    verdict = chain.verify(lines, public_keys=[PUBLIC])
    assert {fault.kind for fault in verdict.faults} == {"unreadable"}


@pytest.mark.parametrize("line", range(1, len(HONEST)))
def test_every_byte_counts(line):
    """Change any character of any line to another: never proven."""
    text = json.dumps(HONEST[line])
    for place in range(0, len(text), 7):
        changed = text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :]
        lines = (
            [json.dumps(record) for record in HONEST[:line]] + [changed] + [json.dumps(r) for r in HONEST[line + 1 :]]
        )
        assert not chain.verify(lines, public_keys=[PUBLIC]).proven, changed


def test_keys_rotate():
    """Both keys are trusted while the export reaches back to the old one."""
    first = build([body(1), None])
    second = build([body(1), None, body(2), None], seed=FORGERS_SEED)
    # Take the first checkpoint from the old key and chain the second to it.
    seal = hashlib.sha256(first[2]["body"].encode()).hexdigest()
    text = chain.canonical(json.loads(second[4]["body"]) | {"prev": seal})
    records = [*first, second[3], {"body": text.decode(), "signature": chain.sign(FORGERS_SEED, text).hex()}]
    lines = [json.dumps(record) for record in records]
    assert chain.verify(lines, public_keys=[PUBLIC, chain.public_bytes(FORGERS_SEED)]).proven
    assert not chain.verify(lines, public_keys=[PUBLIC]).proven


def test_the_file_alone_verifies_without_the_portal(tmp_path):
    """An auditor needs this one file and `cryptography`: no Django, no settings, no database."""
    export, verifier = tmp_path / "ledger.jsonl", tmp_path / "chain.py"
    export.write_text("".join(json.dumps(record) + "\n" for record in HONEST), encoding="utf-8")
    verifier.write_bytes(Path(chain.__file__).read_bytes())
    command = [sys.executable, "-I", verifier, export, "--public-key", PUBLIC.hex()]
    proven = subprocess.run(
        [*command, "--witness", witnesses_of(HONEST)[0]], capture_output=True, text=True, check=False
    )
    assert (proven.returncode, "PROVEN" in proven.stdout) == (0, True), proven.stderr
    refuted = subprocess.run([*command, "--witness", "ff" * 32], capture_output=True, text=True, check=False)
    assert (refuted.returncode, "truncated" in refuted.stdout) == (1, True)


@pytest.mark.parametrize(
    "nonsense", [{"seq": "x"}, {"seq": None, "body": 7, "hash": [], "prev": {}}, {"body": "[" * 99999}]
)
def test_nonsense_is_refuted_and_breaks_nothing(nonsense):
    assert not judge([HONEST[0], nonsense]).proven
    odd = chain.canonical({"chain": CHAIN, "number": "x", "seq": [], "key": chain.key_id(PUBLIC)})
    signed = {"body": odd.decode(), "signature": chain.sign(SEED, odd).hex()}
    assert not judge([*HONEST, signed, nonsense]).proven


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_canonical_bytes_are_those_of_rfc_8785(value):
    assert chain.canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [1.5, 2**53, {1: "a"}, {1, 2}, "\ud800"])
def test_what_has_no_exact_form_is_refused(value):
    with pytest.raises(chain.NotCanonical):
        chain.canonical(value)
