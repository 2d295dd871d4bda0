"""Markdown to HTML that is safe to show: raw HTML is text, and only a short list of elements comes through."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from core.domain.declared import SpecError

TAGS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "hr", "kbd", "li", "ol", "p", "pre", "strong", "table",
    "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href"}, "h2": {"id"}, "h3": {"id"}, "td": {"data-label"}}
_ANCHOR = re.compile(r"s-[a-z0-9-]+", re.ASCII)
_LINK = re.compile(
    r"https://\S+|mailto:\S+|#s-[a-z0-9-]+|(\.\./){2}|(\.\./){1,2}[a-z0-9_-]+(/[a-z0-9_-]+)?/?", re.ASCII
)
"""Where a link may lead: a secure address, a mailbox, a heading of this page, or a page beside this one."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A document as HTML, its words alone, its headings (anchor and words), and the pages beside it that it names."""

    html: str
    text: str
    headings: tuple[tuple[str, str], ...]
    neighbours: tuple[tuple[str, int], ...]
    """Relative links, each with its line."""


def render(source: str) -> Rendered:
    """Render Markdown; whatever it holds, no script, style, picture or unlisted link leaves this function.

    Raises SpecError (with the line in `source`) for a first-level heading: a page has its own.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(source)
    headings = tuple(_headings(tokens))
    _label(tokens)
    clean = nh3.clean(
        reader.renderer.render(tokens, reader.options, {}),
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_kept,
        url_schemes={"https", "mailto"},
        link_rel="noopener noreferrer",
    )
    return Rendered(_tables(clean), _words(tokens), headings, tuple(_neighbours(tokens)))


def _headings(tokens: list[Token]) -> list[tuple[str, str]]:
    """Give headings their anchors; return those of the second level."""
    found: dict[str, str] = {}
    for token, inside in pairwise(tokens):
        if token.type != "heading_open":
            continue
        if token.tag == "h1":
            raise SpecError("the title stands in the front matter; begin with ##", line=_line(token))
        if token.tag in ("h2", "h3"):
            anchor = _anchor(inside.content)
            while anchor in found:
                anchor += "-again"
            token.attrSet("id", anchor)
            found[anchor] = inside.content if token.tag == "h2" else ""
    return [(anchor, words) for anchor, words in found.items() if words]


def _label(tokens: list[Token]) -> None:
    """Give each cell but the first of its row the words over its column: on a phone they stand before it."""
    over: list[str] = []
    column = 0
    for token, inside in pairwise(tokens):
        if token.type == "table_open":
            over = []
        elif token.type == "tr_open":
            column = 0
        elif token.type == "th_open":
            over.append(" ".join(_said(inside).split()))
        elif token.type == "td_open":
            if column:
                token.attrSet("data-label", over[column])
            column += 1


def _anchor(words: str) -> str:
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return "s-" + (re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "part")


def _kept(tag: str, name: str, value: str) -> str | None:
    if name in ("rel", "data-label"):  # given by the cleaner and by us; no source can bring one
        return value
    allowed = _LINK if name == "href" else _ANCHOR
    return value if allowed.fullmatch(value) else None


def _tables(html: str) -> str:
    """Let a wide table stack on a phone, and scroll by itself elsewhere, by keyboard too."""
    numbers = iter(range(1, html.count("<table>") + 1))
    opened = re.sub(
        "<table>",
        lambda _: (
            f'<div class="tablewrap" tabindex="0" role="region" aria-label="Table {next(numbers)}">'
            '<table class="table stacks">'
        ),
        html,
    )
    return opened.replace("</table>", "</table></div>")


def _words(tokens: list[Token]) -> str:
    return "\n".join(
        _said(token) if token.type == "inline" else token.content
        for token in tokens
        if token.type in ("inline", "fence", "code_block")
    )


def _said(token: Token) -> str:
    return "".join(part.content if part.type in ("text", "code_inline") else " " for part in token.children or ())


def _neighbours(tokens: list[Token]) -> list[tuple[str, int]]:
    return [
        (str(part.attrGet("href")), _line(token))
        for token in tokens
        for part in token.children or ()
        if part.type == "link_open" and str(part.attrGet("href")).startswith("../")
    ]


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 1
