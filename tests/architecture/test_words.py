"""One word per idea (`docs/glossary.md`): what people read uses no other."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib import admin

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


def test_no_help_text_of_a_model_speaks_of_code() -> None:
    """Staff reads them under the fields of the admin."""
    fields = [
        field
        for model in apps.get_models()
        if model.__module__.split(".")[0] in FOLDERS
        for field in model._meta.fields
    ]
    assert len(fields) > 500
    assert {
        str(field): field.help_text
        for field in fields
        if re.search(r"`|\b[a-z]+_[a-z]|[A-Z]{2}_[A-Z]|\b[a-z]+\.[a-z]", str(field.help_text))
    } == {}


def test_a_code_has_its_words_in_every_list_and_filter_of_the_admin() -> None:
    """`outcome` and `reason` of the decisions, and what stands under the id of a check, a toggle, a hold or a job."""
    coded = {"check_id", "task", "template", "wanted", "proven_via"}
    shown = {
        f"{model._meta.label}.{name}"
        for model, page in admin.site._registry.items()
        for name in (*page.list_display, *page.list_filter)
        if isinstance(name, str) and name in coded and not model._meta.get_field(name).choices
    }
    assert shown == set()
