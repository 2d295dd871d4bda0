"""How the ledger's entries of backfills are told to people."""

from collections.abc import Mapping
from typing import Any

from backfills.domain import lag
from core.activity import sentences


def _about_rows(text: str, late: str = "") -> Any:
    """Tell with what and how many; `late` is for a catch-up."""

    def say(data: Mapping[str, Any]) -> str:
        rows = data.get("source_total")
        if late and data.get("since") and data.get("changed") is not None:
            rows = data["changed"]
        told = (late if late and data.get("since") else text).format(
            entity=str(data.get("entity", "…")).replace("_", " "), rows="…" if rows is None else f"{rows:,}"
        )
        return f"{told}, {data['held']:,} held" if data.get("held") else told

    return say


def _inspected(text: str) -> Any:
    def say(data: Mapping[str, Any]) -> str:
        return text.format(**{name: f"{data[name]:,}" if name in data else "…" for name in ("rows", "rejected")})

    return say


def _pace(data: Mapping[str, Any]) -> str:
    if "every" in data:
        return f"set catch-ups by themselves to {lag.often(data['every'])}"
    rows = data.get("rows_per_second")
    return f"limited the move to {rows:,} rows per second" if rows else "let the move go as fast as it can"


sentences(
    {
        "backfills.run.requested": _about_rows("asked to move {entity}", "asked to catch up {entity}"),
        "backfills.run.started": _about_rows("began to move {entity}: {rows} rows", "began to catch up {entity}"),
        "backfills.run.finished": _about_rows(
            "moved {entity}: {rows} rows accounted for", "caught up {entity}: {rows} changed"
        ),
        "backfills.run.failed": _about_rows("could not move {entity} to the end"),
        "backfills.run.paused": _about_rows("paused the move of {entity}"),
        "backfills.run.cancelled": _about_rows("ended the move of {entity} early"),
        "backfills.run.resumed": _about_rows("let the move of {entity} go on"),
        "backfills.run.retry_failed": _about_rows("could not try the rejected rows of {entity} again"),
        "backfills.run.retried": _about_rows("tried the rejected rows of {entity} again"),
        "backfills.watermark.withdrawn": _about_rows("put {entity} right or back: what rests on it moves in full next"),
        "backfills.row.shown": _about_rows("looked at a rejected row of {entity}"),
        "backfills.copies.expired": "deleted the copies of {rows} rejected rows that nobody tried again for 30 days",
        "backfills.rows.erased": "erased rejected rows, keys of batches and examples of inspections: {rows} rows",
        "backfills.pace.set": _pace,
        "backfills.spec.kept": "used a version of the mapping for the first time",
        "backfills.inspection.requested": "asked to check all legacy rows before they move",
        "backfills.inspection.finished": _inspected("checked {rows} legacy rows: {rejected} would be rejected"),
        "backfills.inspection.failed": "could not check all legacy rows",
    }
)
