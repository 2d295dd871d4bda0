"""The search: every word counts, titles before bodies, beginnings after whole words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_reports.domain.search import Field, Index, words

INDEX = Index(
    {
        "delays": [Field("Delays and cancellations", 8), Field("Ops desk › Delay log opsdesk/dlylog.do", 4)],
        "reports": [Field("Reports your leadership reads", 8), Field("A delay below 14 minutes is on time.", 1)],
        "cafe": [Field("Café at the gate", 8), Field("Companies, buses and classes", 1)],
    }
)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("delay", ["delays", "reports"]),
        ("DELAYS", ["delays", "reports"]),
        ("del", ["delays", "reports"]),
        ("delay minutes", ["reports"]),
        ("delay zeppelin", []),
        ("opsdesk/dlylog.do", ["delays"]),
        ("cafe", ["cafe"]),
        ("CAFÉ", ["cafe"]),
        ("company bus class", ["cafe"]),
        ("", []),
        ("  ›  ", []),
        ("delay" * 100, []),
    ],
)
def test_a_question_finds_what_holds_all_its_words(question: str, found: list[str]) -> None:
    assert INDEX.find(question) == found


texts = st.text(alphabet="abc äÖé-", max_size=20)


@given(
    st.dictionaries(st.integers(), st.lists(st.builds(Field, texts, st.integers(1, 9)), max_size=3), max_size=6), texts
)
def test_it_finds_exactly_what_reading_every_document_would(documents: dict[int, list[Field]], question: str) -> None:
    asked = set(words(question))
    held = {key: {word for part in parts for word in words(part.text)} for key, parts in documents.items()}
    wanted = {
        key
        for key, known in held.items()
        if asked and all(any(one.startswith(word) for one in known) for word in asked)
    }
    assert set(Index(documents).find(question)) == wanted
