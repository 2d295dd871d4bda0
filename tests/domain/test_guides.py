"""Guides: front matter with lines, the reader's own first, and hostile Markdown that comes out harmless."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.declared import SpecError
from core.permissions import TenantRole
from parity_reports.domain import guides, markdown
from parity_reports.domain.guides import Guide
from parity_reports.domain.workflows import load_set as load_workflows
from tests.changes import GUIDE as GOOD
from tests.changes import WORKFLOWS

CATALOGUE = load_workflows({"flights.yaml": WORKFLOWS})


def read(text: str = GOOD, file: str = "delays.md") -> Guide:
    return guides.load_set({file: text}, catalogue=CATALOGUE)[file.removesuffix(".md")]


def test_the_good_one_is_read() -> None:
    guide = read()
    assert guide.places == (("Ops › Delays", "Flights › Delay"), ("F1 card", "Help"))
    assert (guide.minutes, guide.version, guide.is_published) == (4, 2, True)
    assert guide.headings == (("s-log-a-delay", "Log a delay"),)
    assert '<a href="../../workflows/log_delay/" rel="noopener noreferrer">the workflow</a>' in guide.html


@pytest.mark.parametrize(
    ("change", "into", "words"),
    [
        ("---\nformat", "format", "delays.md:1: a guide begins with its front matter"),
        ("title: Delays", "titel: Delays", "delays.md:3: titel: Additional properties"),
        ("roles: [member]", "roles: [pilot]", "delays.md:5: roles.0: 'pilot' is not one of"),
        ("[log_delay]", "[log_delays]", "delays.md:7: no workflow is called 'log_delays'"),
        ("2026-11-18", "2026-11-31", "delays.md:11: updated_on: day is out of range for month"),
        ("## Log", "# Log", "delays.md:14: the title stands in the front matter; begin with ##"),
        ("log_delay/)", "log_delays/)", "delays.md:16: the link '../../workflows/log_delays/' leads nowhere"),
        ("version: 2\n", "", "delays.md:2: 'version' is a required property"),
    ],
)
def test_a_wrong_guide_is_refused_with_its_line(change: str, into: str, words: str) -> None:
    assert change in GOOD
    with pytest.raises(SpecError) as raised:
        read(GOOD.replace(change, into, 1))
    assert str(raised.value).startswith(words)


def test_a_file_that_is_no_address_is_refused() -> None:
    with pytest.raises(SpecError, match="file name is its address"):
        read(file="My Guide.md")


def test_what_is_not_published_covers_nothing() -> None:
    hidden = read(GOOD.replace("version: 2", "version: 2\npublished: false"))
    told = [
        (one.id, role) for one, role in guides.uncovered(CATALOGUE.workflows.values(), guides=[hidden], segment="major")
    ]
    assert told == [("log_delay", "member"), ("swap_crew", "member"), ("swap_crew", "admin")]
    told = [
        (one.id, role) for one, role in guides.uncovered(CATALOGUE.workflows.values(), guides=[read()], segment="major")
    ]
    assert told == [("swap_crew", "member"), ("swap_crew", "admin")]
    assert guides.for_reader([hidden], role="member", segment="major") == []


roles = st.sampled_from([role.value for role in TenantRole])
segments = st.sampled_from(["major", "national", "regional"])


@st.composite
def written(draw: st.DrawFn) -> Guide:
    text = GOOD.replace("[member]", f"[{', '.join(sorted(draw(st.sets(roles, min_size=1))))}]")
    text = text.replace("segments: [major]", f"segments: [{', '.join(sorted(draw(st.sets(segments, min_size=1))))}]")
    return read(text.replace("version: 2", f"version: 2\npublished: {str(draw(st.booleans())).lower()}"))


@given(st.lists(written(), max_size=6), roles, segments)
def test_a_reader_gets_exactly_what_was_published_for_their_role_and_segment(
    every: list[Guide], role: str, segment: str
) -> None:
    found = guides.for_reader(every, role=role, segment=segment)
    assert all(guide.is_published and role in guide.roles and segment in guide.segments for guide in found)
    left = [guide for guide in every if guide not in found]
    assert not any(guide.is_published and role in guide.roles and segment in guide.segments for guide in left)
    assert found == [guide for guide in every if guide in found]


class Elements(HTMLParser):
    """What a browser would make of a text: every element with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(html)
    parser.close()
    return parser.found


HOSTILE = [
    "<script>alert(1)</script>",
    "text <img src=x onerror=alert(1)>",
    "![picture](https://evil.example/pixel.png)",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "[x](//evil.example/)",
    "[x](http://plain.example/)",
    "[x](/admin/logout/)",
    "[x](../../../admin/)",
    "[x](file:///etc/passwd)",
    '<https://ok.example/" onmouseover="alert(1)>',
    '<div style="position:fixed">over all</div>',
    '<a href="https://ok.example" onclick="alert(1)">x</a>',
    "<iframe src=https://evil.example></iframe>",
    "<form action=https://evil.example><input name=password></form>",
    "<svg/onload=alert(1)>",
    "<style>body{display:none}</style>",
    "| a |\n|:-:|\n| <script>alert(1)</script> |",
    '| a | " onmouseover=alert(1) <b |\n|-|-|\n| b | c |',
    "## <img src=x onerror=alert(1)>",
    "`</code><script>alert(1)</script>`",
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "[x]: javascript:alert(1)\n\n[x]",
    "<!--><script>alert(1)</script>-->",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    '[x](https://ok.example "\\" onmouseover=alert(1)")',
    "\u0000<script>alert(1)</script>",
]  # fmt: skip


def assert_harmless(html: str) -> None:
    for tag, attributes in elements(html):
        if tag == "div":  # ours, around a table
            assert set(attributes) == {"class", "tabindex", "role", "aria-label"}
            continue
        assert tag in markdown.TAGS, html
        ours = {"table": {"class"}, "td": {"data-label"}}  # what stands over its column, as text
        assert set(attributes) <= ours.get(tag, {"href", "rel", "id"}), html
        href = attributes.get("href") or ""
        assert href.startswith(("https://", "mailto:", "#s-", "../")) or not href, html
        assert "../../../" not in href


@pytest.mark.parametrize("source", HOSTILE)
def test_hostile_markdown_comes_out_harmless(source: str) -> None:
    assert_harmless(markdown.render(source).html)


@given(st.text(alphabet=st.sampled_from("<>/\"'=&#:;()[]{}!`|-~*_\\ \n\tabijnops1.x@"), max_size=120))
def test_no_text_whatever_becomes_more_than_the_listed_elements(noise: str) -> None:
    tables = (f"|a|\n|-|\n|{noise}|", f"|a|{noise}|\n|-|-|\n|b|c|")
    for source in (noise, f"[x]({noise})", f"<a href={noise}>", f"<{noise}>", *tables):
        try:
            assert_harmless(markdown.render(source).html)
        except SpecError:  # it began with a title of the first level
            assert "#" in source or "=" in source


def test_tables_scroll_by_themselves_and_have_names_of_their_own() -> None:
    html = markdown.render("|a|\n|-|\n|b|\n\n## Then\n\n|c|\n|-|\n|d|").html
    assert html.count('<div class="tablewrap" tabindex="0" role="region"') == 2
    assert 'aria-label="Table 1"' in html
    assert 'aria-label="Table 2"' in html


def test_a_cell_says_what_stands_over_its_column() -> None:
    html = markdown.render("|a|*b* & `c`|\n|-|-|\n|d|e|\n\n|f|g|\n|-|-|\n|h|i|").html
    assert '<td>d</td>\n<td data-label="b &amp; c">e</td>' in html
    assert '<td data-label="g">i</td>' in html


def test_headings_of_one_name_have_anchors_of_their_own() -> None:
    found = markdown.render("## Try it\n\n## Try it\n\n## Größe!").headings
    assert found == (("s-try-it", "Try it"), ("s-try-it-again", "Try it"), ("s-groe", "Größe!"))
