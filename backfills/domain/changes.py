"""What changed between two versions of a mapping, in the words in which a mapping is told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from backfills.domain import plain, schema
from backfills.domain.spec import Rule, Spec, Then

WHAT_HAPPENS: Mapping[Then, str] = {
    Then.KEEP: "moved, and counted under this rule",
    Then.DROP: "left behind",
    Then.QUARANTINE: "rejected until it is put right",
    Then.MERGE: "merged into one",
    Then.DELETE: "removed from the new platform too",
}


class Part(StrEnum):
    """The parts of a mapping, in the order in which their changes are told."""

    PLACE = "Where rows come from and go to"
    FIELD = "Fields"
    STEP = "Worked out on the way"
    RULE = "Rules for rows"
    ENTRY = "Lists"
    COLUMN = "Columns of legacy"
    CASE = "Special rows"
    MUST = "What must hold on both platforms"
    SETTING = "How the move goes"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was; empty `before`: it is new, empty `after`: it is gone."""

    part: Part
    name: str
    before: str
    after: str

    @property
    def kind(self) -> str:
        """Return what happened to it."""
        return "added" if not self.before else "removed" if not self.after else "changed"


@dataclass(frozen=True, slots=True)
class _Said:
    """A thing in words, and exactly as the file says it; words may be the same where the exact text is not."""

    words: str
    exact: str = ""


def between(before: Spec, after: Spec) -> tuple[Change, ...]:
    """Return all changes from one version of an entity's mapping to another, part by part, in the files' order."""
    was, now = dict(_things(before)), dict(_things(after))
    found = []
    for part, name in (*now, *(key for key in was if key not in now)):
        old, new = was.get((part, name)), now.get((part, name))
        if old == new:
            continue
        told = [one.words if one else "" for one in (old, new)]
        if old and new and old.words == new.words:
            told = [old.exact, new.exact]
        found.append(Change(part, name, *told))
    found += _order(before, after)
    return tuple(sorted(found, key=lambda change: list(Part).index(change.part)))


def _order(before: Spec, after: Spec) -> Iterator[Change]:
    """Yield the order of the rules that both have, where it changed: the first that holds decides."""
    old, new = ([rule.title for rule in spec.rules] for spec in (before, after))
    kept_old, kept_new = [one for one in old if one in new], [one for one in new if one in old]
    if kept_old != kept_new:
        yield Change(Part.RULE, "The order in which they are asked", ", ".join(kept_old), ", ".join(kept_new))


def why_not_retried(before: Spec, after: Spec) -> str:
    """Say why rows that one version rejected cannot be judged by another, or nothing where they can be."""
    if (before.system, before.source_table, before.source_tenant, before.key_parts) != (
        after.system, after.source_table, after.source_tenant, after.key_parts,
    ):  # fmt: skip
        return "other rows of legacy are read, or by another key"
    if (before.target_table, before.target_tenant, before.target_key) != (
        after.target_table, after.target_tenant, after.target_key,
    ):  # fmt: skip
        return "rows go to another table of the new platform, or have another key there"
    if before.duplicates.then is not after.duplicates.then:
        return "rows with one key are treated otherwise"
    return ""


def _things(spec: Spec) -> Iterator[tuple[tuple[Part, str], _Said]]:
    document, _ = schema.read(spec.source_text)
    yield from _places(spec)
    yield from _fields(spec, document)
    for name, node in spec.lets:
        yield (Part.STEP, name), _Said(plain.say(node), document["let"][name])
    yield from _rules(spec, document)
    for table, entries in spec.tables.items():
        for key, value in entries.items():
            yield (Part.ENTRY, f"{table}: {key}"), _Said(f"becomes “{value}”")
    for name, items in spec.sets.items():
        for item in sorted(items):
            yield (Part.ENTRY, f"{name}: {item}"), _Said("is in the list")
    for zone in sorted(spec.zones):
        yield (Part.ENTRY, f"time zone {zone}"), _Said("is known")
    for name, is_public in spec.source_columns.items():
        exact = f"called {spec.source_names.get(name, name)} in legacy"
        yield (Part.COLUMN, name), _Said(_column(spec, name, is_public=is_public), exact)
    for kind, words in plain.CASES.items():
        if kind in spec.cases:
            yield (Part.CASE, words), _Said(plain.answer(spec, kind), spec.cases[kind])
    for (says, asked), declared in zip(plain.tell(spec).must_hold, document.get("invariants", ()), strict=True):
        yield (Part.MUST, says), _Said(asked, "; ".join(f"{key}: {value}" for key, value in declared.items()))
    yield (Part.SETTING, "Stop the move"), _Said(f"above {spec.stop_above_percent:g} % rejected rows")
    yield (Part.SETTING, "Rows in a batch"), _Said(f"{spec.batch:,}")
    yield (Part.SETTING, "Moves after"), _Said(", ".join(spec.after) or "nothing else")


def _places(spec: Spec) -> Iterator[tuple[tuple[Part, str], _Said]]:
    yield (Part.PLACE, "Title"), _Said(spec.title)
    key = ", ".join(f"{column} ({kind})" for column, kind in spec.key_parts)
    yield (Part.PLACE, "Legacy"), _Said(f"{spec.source_table}, key {key}", f"{spec.system}, {spec.key_column}")
    yield (Part.PLACE, "New platform"), _Said(f"{spec.target_table}, key {spec.target_key}", spec.target_tenant)
    yield (Part.PLACE, "Account in legacy"), _Said(spec.source_tenant)
    if spec.exported:
        yield (Part.PLACE, "As of when its file is"), _Said(spec.exported.how)
    if spec.frozen:
        yield (Part.PLACE, "Frozen in legacy"), _Said(f"since {spec.frozen.since}. {spec.frozen.because}")
    for name, lookup in spec.lookups.items():
        yield (Part.PLACE, f"Look-up “{name}”"), _Said(f"{', '.join(lookup.fields)} of {lookup.entity}")


def _fields(spec: Spec, document: Mapping[str, Any]) -> Iterator[tuple[tuple[Part, str], _Said]]:
    for field in plain.tell(spec).fields:
        declared = document["columns"][field.name]
        shown = "values may be shown" if field.is_public else "only the kind of a difference is shown"
        merged = f"; when merged, {field.merged}" if field.merged else ""
        words = f"{field.how}; {declared['type']}, {field.must}; {shown}{merged}"
        exact = "; ".join(f"{key}: {value}" for key, value in declared.items() if key != "note")
        yield (Part.FIELD, field.name), _Said(words, exact)


def _rules(spec: Spec, document: Mapping[str, Any]) -> Iterator[tuple[tuple[Part, str], _Said]]:
    declared = {item["name"]: item for item in document.get("rules", [])}
    for rule in spec.rules:
        assert rule.when is not None
        words = f"If {plain.say(rule.when)}: {WHAT_HAPPENS[rule.then]}. {_because(rule)}"
        yield (Part.RULE, rule.title), _Said(words, f"when: {declared[rule.name]['when']}; column: {rule.column}")
    for what, rule in (("Standing twice", spec.duplicates), ("Deleted in legacy", spec.vanished)):
        yield (Part.RULE, what), _Said(f"{rule.title}: {WHAT_HAPPENS[rule.then]}. {_because(rule)}", rule.name)
    if spec.supplement_rule:
        yield (Part.RULE, spec.supplement_rule.title), _Said(f"Added by the mapping. {spec.supplement_rule.because}")
        for row in spec.supplements:
            yield (
                (Part.ENTRY, f"added row {row[spec.target_key]}"),
                _Said(", ".join(f"{name} {'nothing' if value is None else value}" for name, value in row.items())),
            )


def _because(rule: Rule) -> str:
    return f"{rule.because} {rule.fix}".strip()


def _column(spec: Spec, name: str, *, is_public: bool) -> str:
    if dropped := spec.dropped.get(name):
        return f"left behind{f' since {dropped.since}' if dropped.since else ''}: {dropped.because}"
    return "read; values may be shown" if is_public else "read; only the kind of a difference is shown"


__all__ = ["Change", "Part", "between", "why_not_retried"]
