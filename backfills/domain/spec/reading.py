"""Reading mapping specs from YAML: every mistake is told with its line."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from backfills.domain import invariants, schema
from backfills.domain.language import Node, Type, names_in, parse
from backfills.domain.merging import OnDrift
from backfills.domain.spec.declared import (
    STOP_ABOVE_PERCENT,
    Changed,
    Column,
    Dropped,
    Exported,
    Frozen,
    Lookup,
    Rule,
    Spec,
    Then,
)
from backfills.domain.target_types import TARGET_TYPES
from core.domain.declared import Lines, SpecError


def load(text: str, *, file: str = "") -> Spec:
    """Read one entity's spec from YAML text; raises SpecError naming file and line."""
    try:
        document, lines = schema.read(text)
        return _Builder(document, lines, text).spec()
    except SpecError as error:
        raise SpecError(error.message, line=error.line, file=file, others=error.others) from error


def load_set(files: Mapping[str, str]) -> Mapping[str, Spec]:
    """Read the specs of a mapping, file name → text; in an order in which each stands after what it needs."""
    read = {file: load(text, file=file) for file, text in sorted(files.items())}
    specs = {spec.entity: spec for spec in read.values()}
    ordered: dict[str, Spec] = {}

    def place(entity: str, path: tuple[str, ...]) -> None:
        if entity in path:
            raise SpecError(f"{' → '.join((*path, entity))}: each waits for the other")
        if entity not in specs:
            raise SpecError(f"{path[-1]} comes after {entity!r}, which no spec declares")
        for needed in specs[entity].after:
            place(needed, (*path, entity))
        ordered.setdefault(entity, specs[entity])

    for entity in specs:
        place(entity, ())
    for spec in ordered.values():
        for name, lookup in spec.lookups.items():
            if lookup.entity not in spec.after:
                raise SpecError(f"{spec.entity}: lookup {name!r} needs 'after: [{lookup.entity}]'")
            known = {column.name for column in specs[lookup.entity].columns if column.type in ("text", "enum")}
            if lacking := sorted(set(lookup.fields) - known):
                raise SpecError(
                    f"{spec.entity}: lookup {name!r} reads {', '.join(lacking)}, which {lookup.entity} does not have as"
                    " text or enum"
                )
    invariants.check_references(read)
    return ordered


_AT = ("source", "columns")


class _Builder:
    def __init__(self, document: dict[str, Any], lines: Lines, text: str) -> None:
        self.document, self.lines, self.text = document, lines, text
        self.lookups = {
            name: Lookup(item["entity"], tuple(item["fields"])) for name, item in document.get("lookups", {}).items()
        }
        self.literals = {
            "table": frozenset(document.get("tables", {})),
            "set": frozenset(document.get("sets", {})),
            "lookup": frozenset(self.lookups),
            "field": frozenset(f"{name}.{one}" for name, item in self.lookups.items() for one in item.fields),
        }
        self.first = document["source"]["key"]["column"]
        self.columns = {name: item["class"] == "public" for name, item in document["source"]["columns"].items()}
        self.key_parts = self._key()
        self.names: dict[str, Type] = dict.fromkeys(self.columns, Type.TEXT)

    def _table(self) -> str:
        """Return the table, or the file that stands for one."""
        source: dict[str, Any] = self.document["source"]
        if ("table" in source) == ("file" in source):
            raise SpecError(
                "the source is a `table` (or view), or a `file`: one of them", line=self.lines.of("source", "file")
            )
        return str(source.get("table") or source["file"])

    def _key(self) -> tuple[tuple[str, str], ...]:
        """Return the key's columns with their types; a key made of several becomes one of the source columns."""
        key, line = self.document["source"]["key"], self.lines.of("source", "key")
        if ("type" in key) == ("of" in key):
            raise SpecError("the key has a `type`, or is made `of` several columns with one each", line=line)
        parts = key.get("of") or {key["column"]: key["type"]}
        for column in parts:
            if column not in self.columns:
                also = "" if "type" in key else f": {column!r}"
                raise SpecError(f"the key is not among the source columns{also}", line=line)
        if "of" in key:
            if key["column"] in self.columns:
                raise SpecError(
                    f"the key is made of several columns: {key['column']!r} names their text, and is taken", line=line
                )
            self.columns[key["column"]] = all(self.columns[column] for column in parts)
        return tuple(parts.items())

    def spec(self) -> Spec:
        document, source, target = self.document, self.document["source"], self.document["target"]
        lets = tuple((name, self._let(name, text)) for name, text in document.get("let", {}).items())
        columns = tuple(self._column(name, item) for name, item in document["columns"].items())
        if target["key"] not in {column.name for column in columns if column.required}:
            raise SpecError("the target key must be a required column", line=self.lines.of("target", "key"))
        rules = tuple(self._rule(item, "rules", index) for index, item in enumerate(document.get("rules", [])))
        singles = {name: self._rule(document[name], name) for name in ("duplicates", "vanished") if name in document}
        supplements = document.get("supplements")
        rule = Rule(supplements["name"], Then.KEEP, supplements["because"]) if supplements else None
        names = [one.name for one in (*rules, *singles.values(), *filter(None, [rule]))]
        if len(names) != len(set(names)):
            raise SpecError("two rules have one name", line=self.lines.of("rules"))
        return Spec(
            entity=document["entity"],
            version=document["version"],
            title=document["title"],
            digest=hashlib.sha256(self.text.encode()).hexdigest(),
            system=source["system"],
            source_table=self._table(),
            source_is_file="file" in source,
            source_tenant=source["tenant"],
            key_column=source["key"]["column"],
            key_parts=self.key_parts,
            source_columns=self.columns,
            target_table=target["table"],
            target_tenant=target["tenant"],
            target_key=target["key"],
            columns=columns,
            lets=lets,
            rules=rules,
            supplement_rule=rule,
            supplements=tuple(
                self._supplement(row, columns, i) for i, row in enumerate((supplements or {}).get("rows", []))
            ),
            after=tuple(document.get("after", ())),
            batch=document.get("batch", 50_000),
            stop_above_percent=document.get("stop_above_percent", STOP_ABOVE_PERCENT),
            lookups=self.lookups,
            tables=document.get("tables", {}),
            sets={name: frozenset(items) for name, items in document.get("sets", {}).items()},
            zones=frozenset(document.get("time_zones", ())),
            dropped=self._dropped((*lets, *((one.name, one.expression) for one in columns)), rules),
            cases=self._cases(names),
            source_names={name: item["named"] for name, item in source["columns"].items() if "named" in item},
            changed=Changed(**source["changed"]) if "changed" in source else None,
            exported=self._exported() if "exported" in source else None,
            frozen=self._frozen() if "frozen" in source else None,
            invariants=invariants.read(document, self.lines, columns=columns, literals=self.literals),
            source_text=self.text,
            **singles,
        )

    def _exported(self) -> Exported:
        """Return how the time of an export is known: in exactly one way."""
        given, line = self.document["source"]["exported"], self.lines.of("source", "exported")
        if set(given) == {"column", "type"}:
            return Exported(column=Changed(**given))
        if set(given) == {"within_minutes"}:
            return Exported(within_minutes=given["within_minutes"])
        if set(given) != {"at"}:
            raise SpecError("exported says one of: `at`, a `column` with its `type`, `within_minutes`", line=line)
        try:
            at = datetime.fromisoformat(given["at"])
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            raise SpecError("exported.at is no moment with its offset, such as 2026-10-01T06:00:00Z", line=line)
        return Exported(at=at.astimezone(UTC))

    def _frozen(self) -> Frozen:
        """Return since when nothing changes in legacy."""
        given = self.document["source"]["frozen"]
        try:
            return Frozen(date.fromisoformat(given["since"]), given["because"])
        except ValueError as error:
            raise SpecError(
                f"frozen.since: there is no day {given['since']}", line=self.lines.of("source", "frozen")
            ) from error

    def _dropped(self, expressions: Iterable[tuple[str, Node]], rules: Iterable[Rule]) -> Mapping[str, Dropped]:
        """Return the columns that are left behind on purpose; what is read is not left behind."""
        listed = self.document["source"]["columns"]
        dropped = {
            name: Dropped(item["dropped"]["because"], item["dropped"].get("since", ""))
            for name, item in listed.items()
            if "dropped" in item
        }
        nodes = [*expressions, *((rule.name, rule.when) for rule in rules if rule.when is not None)]
        for reader, node in nodes:
            if read := names_in(node) & dropped.keys():
                name = min(read)
                raise SpecError(
                    f"{name} is dropped, but {reader!r} reads it", line=self.lines.of(*_AT, name, "dropped")
                )
        return dropped

    def _cases(self, rules: Collection[str]) -> Mapping[str, str]:
        """Return what becomes of each kind of special object; a rule that is named must be there."""
        answers: dict[str, str] = {}
        for kind, answer in self.document.get("cases", {}).items():
            if isinstance(answer, str) and answer not in rules:
                raise SpecError(f"cases.{kind}: no rule {answer!r}", line=self.lines.of("cases", kind))
            answers[kind] = answer if isinstance(answer, str) else answer["none"]
        return answers

    def _parse(self, text: str, *path: str | int) -> Node:
        try:
            return parse(text, names=self.names, literals=self.literals)
        except SpecError as error:
            raise SpecError(f"{'.'.join(map(str, path))}: {error.message}", line=self.lines.of(*path)) from error

    def _let(self, name: str, text: str) -> Node:
        if name in self.names:
            raise SpecError(f"let.{name}: the name is taken", line=self.lines.of("let", name))
        node = self._parse(text, "let", name)
        self.names[name] = node.type
        return node

    def _column(self, name: str, item: dict[str, Any]) -> Column:
        node = self._parse(item["is"], "columns", name, "is")
        kind = item["type"].split("(")[0]
        if node.type is not Type.NULL and node.type not in TARGET_TYPES[kind]:
            raise SpecError(
                f"columns.{name}: the expression is {node.type}, the column {item['type']}",
                line=self.lines.of("columns", name, "is"),
            )
        if item.get("from", self.first) not in self.names:
            raise SpecError(
                f"columns.{name}: no source column {item['from']!r}", line=self.lines.of("columns", name, "from")
            )
        if (kind == "enum") != ("enum" in item):
            raise SpecError(f"columns.{name}: enum and its values belong together", line=self.lines.of("columns", name))
        if item.get("references", next(iter(self.lookups), "")) not in (*self.lookups, ""):
            raise SpecError(f"columns.{name}: no such lookup", line=self.lines.of("columns", name, "references"))
        enum = item.get("enum", {})
        return Column(
            name=name,
            expression=node,
            type=item["type"],
            public=item["class"] == "public",
            required=item.get("required", False),
            enum_type=enum.get("type", ""),
            values=tuple(enum.get("values", ())),
            max=item.get("max"),
            references=item.get("references", ""),
            text=item["is"],
            source=item.get("from", ""),
            on_drift=self._on_drift(name, item, kind),
        )

    def _on_drift(self, name: str, item: dict[str, Any], kind: str) -> OnDrift | None:
        """Return whose value counts when a record is merged; the key is the same on both platforms."""
        if "on_drift" not in item:
            return None
        rule = OnDrift(item["on_drift"])
        problem = rule.misfit(kind, required=item.get("required", False), public=item["class"] == "public")
        if name == self.document["target"]["key"]:
            problem = "the key is the same on both platforms"
        if problem:
            raise SpecError(f"columns.{name}.on_drift: {problem}", line=self.lines.of("columns", name, "on_drift"))
        return rule

    def _rule(self, item: dict[str, Any], *path: str | int) -> Rule:
        when = None
        if "when" in item:
            when = self._parse(item["when"], *path, "when")
            if when.type is not Type.BOOL:
                raise SpecError(f"rule {item['name']}: `when` is not a condition", line=self.lines.of(*path, "when"))
        if item["then"] == Then.QUARANTINE and when is not None and not item.get("fix"):
            raise SpecError(f"rule {item['name']}: a quarantine says how to fix it", line=self.lines.of(*path))
        column = item.get("column", "")
        if column and column not in self.columns:
            raise SpecError(f"rule {item['name']}: no source column {column!r}", line=self.lines.of(*path, "column"))
        return Rule(item["name"], Then(item["then"]), item["because"], when, column, item.get("fix", ""))

    def _supplement(self, row: dict[str, Any], columns: tuple[Column, ...], index: int) -> Mapping[str, Any]:
        if set(row) != {column.name for column in columns}:
            raise SpecError(
                "a supplement gives every column of the target", line=self.lines.of("supplements", "rows", index)
            )
        return row
