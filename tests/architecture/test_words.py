"""One word per idea (`docs/glossary.md`): what people read uses no other."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
FOLDERS = (*sorted(path.parent.name for path in ROOT.glob("*/apps.py")), "templates", "docs", "portal")
KINDS = {".py", ".html", ".md", ".yaml", ".txt"}
OTHER_WORDS = {r"\bold (and (the )?new )?platforms?\b": "legacy platform"}
"""What must not be said, and what is said in its place."""


def read() -> Iterator[tuple[str, str]]:
    """Yield every text that people may come to read, each string as one line: where it stands, and what it says."""
    for path in (each for folder in FOLDERS for each in (ROOT / folder).rglob("*")):
        if path.suffix in KINDS and "migrations" not in path.parts:
            text = re.sub(r'"\s*\n\s*f?"', "", path.read_text(encoding="utf-8"))
            yield path.relative_to(ROOT).as_posix(), " ".join(text.split())


def test_people_read_one_word_for_one_thing() -> None:
    texts = dict(read())
    assert len(texts) > 500
    assert {
        f"{where}: “{found.group()}” is “{word}”"
        for where, text in texts.items()
        for other, word in OTHER_WORDS.items()
        for found in re.finditer(other, text, re.IGNORECASE)
    } == set()
