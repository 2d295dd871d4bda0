"""Every event that is recorded is told to people in a sentence of its own."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from core.activity import SENTENCES

FOLDERS = sorted(path.parent.name for path in Path(settings.BASE_DIR).glob("*/apps.py"))


def recorded() -> Iterator[tuple[str, bool]]:
    """Yield each event given to the ledger: a whole name, or (True) the beginning of one that is put together."""
    for folder in FOLDERS:
        for path in Path(settings.BASE_DIR, folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                    continue
                if ast.unparse(node.func) not in ("ledger.record", "ledger.append"):
                    continue
                match node.args[0]:
                    case ast.Constant(value=str(event)):
                        yield event, False
                    case ast.JoinedStr(values=[ast.Constant(value=str(beginning)), *_]):
                        yield beginning, True


def test_every_recorded_event_has_its_sentence():
    events = set(recorded())
    assert ("accounts.member.joined", False) in events or len(events) > 20
    untold = {
        event
        for event, is_beginning in events
        if not (any(told.startswith(event) for told in SENTENCES) if is_beginning else event in SENTENCES)
    }
    assert untold == set()


def test_every_sentence_stands_without_its_data():
    """An entry of an older form still reads as a sentence."""
    from core.activity import tell

    for event in SENTENCES:
        said = tell(event, {})
        assert said.strip(), event
        assert "{" not in said, event
