"""What people typed, as other people read it: nothing in it hides, or turns what stands beside it around."""

import re

_HIDDEN = re.compile("[\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff]")
"""Marks that embed, override or isolate a direction of writing, and characters without a width.

Joiners are letters' own, and marks that only lend a direction to what has none (U+200E, U+200F, U+061C) belong to
names in Hebrew and Arabic: these stay.
"""


def legible(text: str) -> str:
    """Return a text with `�` in place of each character that hides or turns the writing around.

    They are not left out: two names that differ in nothing else would look alike.
    """
    return _HIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
