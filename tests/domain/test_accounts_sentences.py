"""Entries about accounts are told in words: no word of the code, no “1 hours”."""

import pytest

from core.activity import tell


@pytest.mark.parametrize(
    ("event", "data", "told"),
    [
        (
            "accounts.people.decided",
            {"kind": "apart", "people": 1, "state": "standing"},
            "decided about 1 person: “Nobody there yet”",
        ),
        (
            "accounts.people.decided",
            {"kind": "bulk", "people": 1200, "state": "waiting"},
            "asked for a decision about 1,200 people: “Many people, by a file”",
        ),
        (
            "accounts.people.undone",
            {"kind": "merge", "people": 2},
            "undid a decision about 2 people: “Merge with another of legacy”",
        ),
        ("accounts.cutback.asked", {"hours": 1}, "asked for a cutback to passwords for 1 hour"),
        ("accounts.passwords.restored", {"given": 2}, "gave 2 passwords back"),
    ],
)
def test_an_entry_is_told_in_words(event: str, data: dict[str, object], told: str) -> None:
    assert tell(event, data) == told
