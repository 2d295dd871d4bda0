"""The components every page is made of: `{% load crossing %}`; `/components/` shows them all.

Small ones are written here, larger ones have a template in `templates/components/`. State is always an icon and
words. What a caller passes in is escaped; only `core.charts`, the icons and block contents come ready as HTML.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import template
from django.core.paginator import Page
from django.forms import BaseForm, BoundField
from django.template.context import Context
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from lucide import _render_icon  # the package's own template tag uses the same function

from core import charts

register = template.Library()


@dataclass(frozen=True, slots=True)
class State:
    """How a state looks and what it is called."""

    css: str
    icon: str
    words: str


STATES: dict[str, State] = {
    "pass": State("is-pass", "check", "Passed"),
    "warn": State("is-warn", "triangle-alert", "Review"),
    "covered": State("is-warn", "shield-check", "Exception granted"),
    "block": State("is-fail", "x", "Action needed"),
    "ours": State("is-warn", "hourglass", "With us"),
    "fail": State("is-fail", "x", "Failed"),
    "unknown": State("is-warn", "circle-question-mark", "Unknown"),
    "expired": State("is-warn", "clock", "Out of date"),
    "running": State("is-running turns", "loader-circle", "Running"),
    "queued": State("is-running", "hourglass", "Waiting its turn"),
    "stuck": State("is-fail", "clock", "Stuck"),
    "incomplete": State("is-warn", "circle-alert", "Incomplete"),
    "stopped": State("is-warn", "circle-stop", "Stopped"),
    "done": State("is-pass", "check", "Done"),
    "info": State("is-running", "info", "Note"),
    "none": State("is-none", "circle-dashed", "Not run yet"),
}


@register.simple_tag
def icon(name: str, size: int = 16, label: str = "") -> SafeString:
    """Draw a lucide icon; without a label it is decoration and hidden from assistive technology."""
    return _icon(name, size) if not label else format_html('<span class="vh">{}</span>{}', label, _icon(name, size))


@register.simple_tag
def tag(words: str, state: str = "none", symbol: str = "") -> SafeString:
    """Draw a pill with words; `state` colours it, `symbol` puts a lucide icon before the words."""
    css = state_of(state).css if state else ""
    return format_html('<span class="tag {}">{}{}</span>', css, _icon(symbol, 12) if symbol else "", words)


@register.simple_tag
@lru_cache(maxsize=1024, typed=True)  # a list draws the same few hundreds of times; typed: safe text equals unsafe
def state_tag(state: str, words: str = "") -> SafeString:
    """Draw the pill of a state with its own icon and words, or other words."""
    look = state_of(state)
    return format_html('<span class="tag {}">{}{}</span>', look.css, _icon(look.icon, 12), words or look.words)


@register.simple_tag
@lru_cache(maxsize=1024, typed=True)
def state(name: str, words: str = "") -> SafeString:
    """Draw the round mark of a state; its words are there for those who do not see it."""
    look = state_of(name)
    mark = '<span class="state {}">{}<span class="vh">{}</span></span>'
    return format_html(mark, look.css, _icon(look.icon, 12), words or look.words)


@register.simple_tag
def copy(value: str, name: str = "value") -> SafeString:
    """Show a value in full with a button that copies it; `name` says what is copied (“run id”)."""
    return format_html(
        '<span class="copy"><code>{}</code><button type="button" class="copy-btn needs-js" data-copy="{}" '
        'data-copy-name="{}"><span class="vh">Copy {}</span><span class="todo">{}</span><span class="done">{}</span>'
        "</button></span>",
        value,
        value,
        name,
        name,
        _icon("copy", 14),
        _icon("check", 14),
    )


@register.simple_tag(takes_context=True)
def when(context: Context, at: datetime | None, zone: bool = False, missing: str = "never") -> SafeString:
    """Show a moment in the tenant's time zone: `today, 10:40`; `zone=True` names the zone beside it."""
    if at is None:
        return format_html("{}", missing)
    local = at.astimezone(_zone(context))
    text = _day(local, timezone.now().astimezone(local.tzinfo)) + local.strftime(", %H:%M")
    name = local.strftime("%Z")
    full = f"{local:%A} {local.day} {local:%B %Y, %H:%M:%S} {name}"
    shown = f"{text} {name}" if zone else text
    return format_html('<time datetime="{}" title="{}">{}</time>', _machine(at), full, shown)


@register.simple_tag(takes_context=True)
def period(context: Context, begins_at: datetime, ends_at: datetime) -> SafeString:
    """Show a time span in the tenant's time zone, which it names: `Saturday 5 December, 22:00–23:30 EST`."""
    first, last = begins_at.astimezone(_zone(context)), ends_at.astimezone(_zone(context))
    long = "{0:%A} {0.day} {0:%B}, {0:%H:%M}"
    until = f"–{last:%H:%M}" if first.date() == last.date() else " to " + long.format(last)
    words = f"{long.format(first)}{until} {last:%Z}"
    return format_html('<time datetime="{}">{}</time>', _machine(begins_at), words)


def _machine(at: datetime) -> str:
    """Return a moment as HTML's `datetime` takes it: it knows no microseconds."""
    return at.isoformat(timespec="seconds")


@register.simple_tag
def left(seconds: float | None) -> str:
    """Say an honest remaining time: rounded up to what the estimate is worth, or that there is none yet."""
    if seconds is None:
        return "time left not known yet"
    if seconds < 60:
        return "less than a minute left"
    minutes = -(-int(seconds) // 60)
    if minutes < 60:
        return f"about {minutes} minute{'' if minutes == 1 else 's'} left"
    hours = -(-minutes // 30) / 2
    return f"about {hours:g} hour{'' if hours == 1 else 's'} left"


@register.simple_block_tag
def card(content: str, title: str = "", level: int = 2, state: str = "", words: str = "", flush: bool = False) -> str:
    """Wrap content in a card with a heading; `state` and `words` put a pill beside it, `flush` drops the padding."""
    pill = state_tag(state, words) if state else ""
    heading = format_html("<header><h{}>{}</h{}>{}</header>", level, title, level, pill) if title else ""
    body = content if flush else format_html('<div class="body">{}</div>', content)
    return format_html('<section class="card">{}{}</section>', heading, body)


@register.simple_block_tag(takes_context=True)
def last_crumbs(context: Context, content: str) -> str:
    """Wrap the name of this page as the last breadcrumb, after the section around it.

    What answers a refused form may stand at an address below its page's own: that page is no section of itself.
    """
    here = getattr(context.get("shell"), "here", None)
    page = format_html('<li><span aria-current="page">{}</span></li>', content)
    if here is None or here.current != "true" or content == conditional_escape(here.label):
        return page
    return format_html('<li><a href="{}">{}</a></li>{}', here.path, here.label, page)


@register.simple_block_tag
def notice(content: str, state: str = "info", title: str = "") -> str:
    """Wrap content in a notice of a state; the state's icon and the title come first."""
    look = state_of(state)
    strong = format_html("<strong>{}</strong>", title) if title else ""
    return format_html(
        '<div class="notice {}">{}<div class="words">{}{}</div></div>', look.css, _icon(look.icon, 16), strong, content
    )


@register.simple_block_tag
def emptystate(content: str, symbol: str, title: str, href: str = "", action: str = "") -> str:
    """Say what will appear here and what to do next; `href` and `action` are the one next step."""
    button = format_html('<a class="btn primary" href="{}">{}</a>', href, action) if href and action else ""
    return format_html(
        '<div class="empty">{}<p class="title">{}</p><div class="prose">{}</div>{}</div>',
        _icon(symbol, 28),
        title,
        content,
        button,
    )


@register.simple_block_tag
def ask_first(content: str, label: str) -> str:
    """Put a question before what a form does; `label` is the button that does it.

    With JavaScript a dialog asks on the page, without it a page of its own (`portal.middleware.AskFirst`).
    """
    hidden = '<input type="hidden" name="ask_first" value="{}"><input type="hidden" name="ask_label" value="{}">'
    return format_html(hidden, mark_safe(content.strip()), label)  # noqa: S308  (a block's content is escaped already)


@register.inclusion_tag("components/records.html")
def dns_records(records: Sequence[Mapping[str, str]], caption: str = "DNS records to publish") -> dict[str, Any]:
    """List DNS records (`type`, `name`, `value`) with a copy button for each name and value."""
    return {"records": records, "caption": caption}


@register.inclusion_tag("components/timeline.html", takes_context=True)
def timeline(context: Context, entries: Iterable[Any]) -> dict[str, Any]:
    """List entries (`text`, `at`, `tone`, optional `who`) on a line, in the order they come."""
    return {"entries": entries, "request": context.get("request"), "tenant": context.get("tenant")}


@register.inclusion_tag("components/stepper.html")
def stepper(steps: Iterable[Any]) -> dict[str, Any]:
    """List steps (`label`, `hint`, `state`: done, now, next or stopped) in order."""
    return {"steps": steps}


@register.inclusion_tag("components/progress.html")
def progress(label: str, done: int, total: int | None, message: str = "", state: str = "running") -> dict[str, Any]:
    """Show how far something is: its share, and in words what is left. Without a total only what is done."""
    share = None if not total else min(100, 100 * max(0, done) // total)
    return {"label": label, "done": done, "total": total, "share": share, "message": message, "state": state}


@register.inclusion_tag("components/kpi.html")
def kpi(figure: Any) -> dict[str, Any]:
    """Show a figure (`label`, `value`, `target`, `state`, `words`, `trend`, `href`) beside its target."""
    spark = charts.sparkline(figure.trend, title=f"{figure.label}, trend")
    look = state_of(figure.state) if figure.state else None
    return {"figure": figure, "look": look, "spark": mark_safe(spark)}  # noqa: S308  (core.charts escapes)


@register.inclusion_tag("components/check.html", takes_context=True)
def check_row(context: Context, check: Any) -> dict[str, Any]:
    """Show one readiness check as a row that opens: what was found, what was expected, what to do."""
    return {"check": check, "look": state_of(check.state), **_kept(context)}


@register.inclusion_tag("components/error_summary.html")
def error_summary(form: BaseForm) -> dict[str, Any]:
    """Sum up a form's errors with links to their fields; it takes the focus."""
    fields = [(field, error) for field in form for error in field.errors] if form.is_bound else []
    general = list(form.non_field_errors()) if form.is_bound else []
    return {"fields": fields, "general": general}


@register.inclusion_tag("components/problem.html")
def problem_summary(problem: Any) -> dict[str, Any]:
    """Show why a use case refused (`message`) and what to do (`fix`); it takes the focus. Nothing for None."""
    return {"problem": problem}


@register.inclusion_tag("components/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """Show a form field: label, help, errors, input, tied together for assistive technology."""
    return {"field": bound}


@register.inclusion_tag("components/form_fields.html")
def form_fields(form: BaseForm, summary: bool = True) -> dict[str, Any]:
    """Show the error summary and every field of a form."""
    return {"form": form, "summary": summary}


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(context: Context, page: Page[Any], what: str = "entries", at: str = "") -> dict[str, Any]:
    """Page through a list, keeping the address's other parameters; nothing for a single page.

    `at` is the list's address, where the page may also be the answer to a form that was sent to another one.
    """
    pages = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return {"page": page, "pages": list(pages), "what": what, "at": at, "request": context.get("request")}


@register.simple_tag
def diff(lines: Iterable[tuple[str, str]]) -> SafeString:
    """Show changed text: pairs of `old`, `new` or `same` and the line; marked by a sign as well as by colour."""
    kinds = {"old": ("del", "−", "removed: "), "new": ("ins", "+", "added: "), "same": ("", " ", "")}
    rows = [(*kinds[kind], text) for kind, text in lines]
    body = format_html_join(
        "",
        '<div class="{}"><span aria-hidden="true">{}</span><span><span class="vh">{}</span>{}</span></div>',
        rows,
    )
    return format_html('<div class="diff">{}</div>', body)


@register.inclusion_tag("components/figure.html")
def line_chart(
    points: Sequence[charts.Point],
    title: str,
    goal: charts.Goal | None = None,
    unit: str = "",
    description: str = "",
    small: bool = False,
    counts: bool = False,
) -> dict[str, Any]:
    """Draw values over time with their goal, and the same numbers as a table; `small` ones stand side by side."""
    size: dict[str, Any] = {"width": 420, "height": 190, "css": "plot small"} if small else {}
    drawn = charts.line(points, title=title, goal=goal, unit=unit, description=description, counts=counts, **size)
    return _figure(drawn, points, title, unit)


@register.inclusion_tag("components/figure.html")
def bar_chart(points: Sequence[charts.Point], title: str, unit: str = "", description: str = "") -> dict[str, Any]:
    """Draw one bar per row, and the same numbers as a table."""
    return _figure(charts.bars(points, title=title, unit=unit, description=description), points, title, unit)


@register.inclusion_tag("components/figure.html")
def flow_chart(source: str, points: Sequence[charts.Point], title: str, description: str = "") -> dict[str, Any]:
    """Draw where everything from one source ended, and the same numbers as a table."""
    return _figure(charts.flow(source, points, title=title, description=description), points, title, "")


def state_of(name: str) -> State:
    """Return how a state looks; an enum's value counts, a word nobody knows looks plain."""
    key = str(getattr(name, "value", name))
    return STATES.get(key) or State("is-none", "circle-dashed", key.replace("_", " ").capitalize())


def _figure(svg: str, points: Sequence[charts.Point], title: str, unit: str) -> dict[str, Any]:
    return {"svg": mark_safe(svg), "points": points, "title": title, "unit": unit}  # noqa: S308  (core.charts escapes)


def _kept(context: Context) -> dict[str, Any]:
    return {key: context.get(key) for key in ("request", "tenant", "csrf_token", "may_run")}


def _zone(context: Context) -> ZoneInfo:
    tenant = context.get("tenant") or getattr(context.get("request"), "tenant", None)
    try:
        return ZoneInfo(getattr(tenant, "time_zone", "") or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _day(local: datetime, now: datetime) -> str:
    if local.date() == now.date():
        return "today"
    if local.date() == now.date() - timedelta(days=1):
        return "yesterday"
    return f"{local.day} {local:%b}" + ("" if local.year == now.year else f" {local.year}")


@cache
def _icon(name: str, size: int) -> SafeString:
    svg = _render_icon(name, size, **{"class": "ico", "aria-hidden": "true"})
    return mark_safe(svg)  # noqa: S308  (the package's own drawing)
