"""A sealed report as tables, made from its JSON alone: what a spreadsheet says is what the digest was taken of."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from parity_reports.domain import sampling

type Document = Mapping[str, Any]
type Line = tuple[object, ...]
type Sheet = tuple[str, Sequence[str], Sequence[Sequence[object]]]

FLAT = ("run", "sha256", "verdict", "section", "entity", "item", "kind", "expected", "actual")
"""The heading of the one flat table."""

COUNTS = ("expected", "actual", "compared", "missing", "extra", "different", "duplicate", "dropped", "on_hold")
_INVARIANT = ("entity", "title", "family", "outcome", "expected", "actual")
_DIFFERENCES = ("missing", "extra", "different", "duplicate")
_NONE = {
    "Entities": "Nothing was compared.",
    "Invariants": "No invariant was asked.",
    "Rules": "No rule left a record behind or put one in quarantine.",
}
"""What a sheet without a line says: an empty one would look as if something were missing."""
_EQUAL = "No difference was found in what was compared."
_COUNTED = "Nothing to list here: what differs is counted in the sheet Entities."


def flat(document: Document, *, sha256: str) -> Iterator[Line]:
    """Yield a report as one table, every line with its run and digest."""
    for line in _flat(document):
        yield document["run"], sha256, document["verdict"], *line


def sheets(document: Document, *, sha256: str) -> list[Sheet]:
    """Return a report as the sheets of a workbook; the first names run, digest, moments and mapping versions."""
    differs = any(one["counts"].get(kind) for one in document["entities"] for kind in _DIFFERENCES)
    otherwise = _COUNTED if differs else _EQUAL
    return [
        (title, heading, lines or [(_NONE.get(title, otherwise), *("" for _ in heading[1:]))])
        for title, heading, lines in _sheets(document, sha256=sha256)
    ]


def _sheets(document: Document, *, sha256: str) -> list[Sheet]:
    entities = document["entities"]
    return [
        ("Report", ("fact", "value"), list(_facts(document, sha256))),
        (
            "Entities",
            ("entity", "mapping", "verdict", "problem", *COUNTS),
            [(one["entity"], one["spec"], one["verdict"], one["problem"], *_counted(one)) for one in entities],
        ),
        (
            "Invariants",
            ("entity", "invariant", "about", "result", "expected", "actual", "records asked", "pass rate", "code"),
            [
                (*(row[name] for name in _INVARIANT), row.get("checked", ""), row.get("rate", ""), row["code"])
                for row in document["invariants"]["results"]
            ],
        ),
        (
            "Differences",
            ("entity", "column", "kind", "records"),
            [
                (one["entity"], column, kind, number)
                for one in entities
                for column, kinds in one["differences"].items()
                for kind, number in kinds.items()
            ],
        ),
        (
            "Rules",
            ("entity", "rule", "outcome", "records"),
            [
                (one["entity"], rule, outcome, number)
                for one in entities
                for outcome, rules in (("left behind", one["left_behind"]), ("in quarantine", one["in_quarantine"]))
                for rule, number in rules.items()
            ],
        ),
        (
            "Examples",
            ("entity", "kind", "column", "record", "expected", "actual", "values"),
            [
                (one["entity"], kind, *(row[name] for name in ("column", "record", "expected", "actual")), _origin(row))
                for one in entities
                for kind, row in one.get("examples", {}).items()
            ],
        ),
        (
            "Samples",
            ("entity", "record", "column", "kind", "expected", "actual"),
            [
                tuple(row[name] for name in ("entity", "record", "column", "kind", "expected", "actual"))
                for row in document["samples"]
            ],
        ),
    ]


def _counted(one: Mapping[str, Any]) -> Iterator[int]:
    yield from (one["counts"].get(name, 0) for name in COUNTS)


def _origin(example: Mapping[str, Any]) -> str:
    """Say whether an example's values are shrunk ones or stand for some that are not shown; a whole record has none."""
    if not example["column"]:
        return ""
    return "made up" if example["made_up"] else "shortened"


def _way(compared: Mapping[str, Any]) -> str:
    """Say how an entity was compared and why, and of a sample what it says."""
    sample = compared.get("sample")
    said = [compared["because"], *([sampling.statement(sample["fewer_than_one_in"])] if sample else [])]
    return " ".join(said)


def _facts(document: Document, sha256: str) -> Iterator[Line]:
    yield "run", document["run"]
    yield "account", document["tenant"]
    yield "verdict", document["verdict"]
    if document["problem"]:
        yield "problem", document["problem"]
    yield "asked for", document["requested_at"]
    yield "finished", document["finished_at"]
    yield "SHA-256 of the report (its JSON file, byte for byte)", sha256
    yield "SHA-256 of the mapping", document["mapping_sha256"]
    if "method" in document:
        yield "kind of comparison", document["method"]
    for one in document["entities"]:
        yield f"mapping of {one['entity']}", one["spec"]
        if way := one.get("compared"):
            yield f"engine of {one['entity']}", way["engine"]
            yield f"why {one['entity']} was compared in this way", way["because"]
            yield from ((f"sample of {one['entity']}: {key}", value) for key, value in way.get("sample", {}).items())
    for name, number in zip(COUNTS, _counted(document), strict=True):
        yield f"records {name.replace('_', ' ')}", number
    invariants = document["invariants"]
    yield "invariants", invariants["total"]
    yield "invariants that hold", invariants["passed"]
    yield "invariants that are unknown", invariants["unknown"]


def _flat(document: Document) -> Iterator[Line]:
    for one in document["entities"]:
        entity, counts = one["entity"], one["counts"]
        yield "entity", entity, one["spec"], one["verdict"], counts["expected"], counts["actual"]
        if way := one.get("compared"):
            yield "entity", entity, "compared", way["engine"], "", _way(way)
        for kind in _DIFFERENCES:
            yield "entity", entity, "differences", kind, 0, counts[kind]
        if counts.get("on_hold"):
            yield "entity", entity, "kept under a hold", "", "", counts["on_hold"]
        for rule, number in one["left_behind"].items():
            yield "rule", entity, rule, "left behind", "", number
        for rule, number in one["in_quarantine"].items():
            yield "rule", entity, rule, "in quarantine", "", number
        for column, kinds in one["differences"].items():
            for kind, number in kinds.items():
                yield "column", entity, column, kind, 0, number
        for kind, row in one.get("examples", {}).items():
            item = f"{row['record']} {row['column']} {_origin(row)}".strip()
            yield "smallest example", entity, item, kind, row["expected"], row["actual"]
    for row in document["invariants"]["results"]:
        yield "invariant", row["entity"], row["title"], row["outcome"], row["expected"], row["actual"]
    for sample in document["samples"]:
        item = f"{sample['record']} {sample['column']}".strip()
        yield "sample", sample["entity"], item, sample["kind"], sample["expected"], sample["actual"]
