"""What no template may hold, and that every icon a page names exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import reverse

from core import navigation
from core.templatetags.crossing import STATES, icon

ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(path for path in ROOT.rglob("*.html") if "mail" not in path.parts)

FORBIDDEN = {
    "a style of its own": r"\sstyle\s*=|<style\b",
    "an inline script": r"<script(?![^>]*\ssrc=)(?![^>]*type=[\"']application/json)[^>]*>",
    "an inline handler": r"\son[a-z]+\s*=|hx-on",
    "a question that only JavaScript asks (use ask_first)": r"data-confirm=",
    "a trigger that needs eval": r"hx-trigger=[\"'][^\"']*\[",
    "an unescaped value": r"\|\s*safe\b|autoescape\s+off",
    "an address of another site": r"(src|href)=[\"']https?://",
}
ALLOWED = {("components/field.html", "an unescaped value")}
"""A form's help text is written in our code, and allauth's holds a link."""


def named(path: Path) -> str:
    """The name a template is loaded by."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_a_template_holds_nothing_forbidden(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = {what for what, pattern in FORBIDDEN.items() if re.search(pattern, text)}
    assert {what for what in found if (named(path), what) not in ALLOWED} == set()


def test_a_list_beside_a_form_leads_to_its_own_pages_from_the_answer_to_a_refused_one_too() -> None:
    """Such an answer stands at the form's address, where `?page=2` is no page of the list, or takes no GET at all."""
    texts = {named(path): path.read_text(encoding="utf-8") for path in TEMPLATES if path.parent.name == "accounts"}
    both = {name: text for name, text in texts.items() if "{% pager " in text and 'method="post"' in text}
    assert len(both) > 5
    assert [name for name, text in both.items() if not re.search(r"{% pager [^%]* here %}", text)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_a_template_compiles(path: Path) -> None:
    try:
        get_template(named(path))
    except TemplateDoesNotExist as missing:
        pytest.fail(f"{missing} is extended or included, but does not exist")


def icons() -> Iterator[str]:
    """Every icon that is named anywhere."""
    yield from (state.icon for state in STATES.values())
    yield from (entry.icon for entry in navigation.entries())
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        yield from re.findall(r"{%\s*icon \"([^\"]+)\"", text)
        yield from re.findall(r"symbol=\"([^\"]+)\"", text)


@pytest.mark.parametrize("name", sorted(set(icons())))
def test_an_icon_exists(name: str) -> None:
    assert "<svg" in icon(name)


def test_every_sidebar_entry_leads_somewhere() -> None:
    for entry in navigation.entries():
        assert reverse(entry.url, args=["jetblue"]).startswith("/t/jetblue/")
