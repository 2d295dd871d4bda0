"""`manage.py spec check|explain|compile|diff|schema`: what a mapping is, before anything runs by it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backfills.domain import changes, digits, inspection, judgement, keys, plain, schema, wording
from backfills.domain import spec as specs
from backfills.domain.quoting import quote
from backfills.domain.spec import Spec
from backfills.domain.spec.declared import STOP_ABOVE_PERCENT
from backfills.domain.sql import Compiler, Dialect
from backfills.queries import versions
from core.domain.declared import SpecError


class Command(BaseCommand):
    """Check a mapping, tell what it does, and show the SQL that it becomes."""

    help = (
        "Check a mapping's folder, explain an entity or one row of it, show its SQL, what changed, or the JSON Schema."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take one of five actions."""
        actions = parser.add_subparsers(dest="action", required=True)
        check = actions.add_parser("check", help="Read every file; name file and line of all that is wrong.")
        explain = actions.add_parser("explain", help="Tell in words what becomes of an entity, or of one row.")
        compiled = actions.add_parser("compile", help="Show the SQL that judges and maps an entity's rows.")
        diff = actions.add_parser("diff", help="Tell what changed from one version to another.")
        for name in ("before", "after"):
            diff.add_argument(name, help="A file, a folder, or a version that was used (invoices@1+0123456789ab).")
        actions.add_parser("schema", help="Print the JSON Schema of a spec file.")
        for action in (check, explain, compiled):
            action.add_argument("--folder", type=Path, default=None, help="By default MAPPING_FOLDER.")
        check.add_argument("--strict", action="store_true", help="Warnings fail too.")
        for action in (explain, compiled):
            action.add_argument("entity")
        explain.add_argument("--row", type=json.loads, help='One source row: \'{"nr": "1", "colour": null}\'.')
        explain.add_argument("--lookups", type=json.loads, default={}, help='\'{"airport": {"JFK": {"zone": "…"}}}\'.')
        compiled.add_argument("--dialect", choices=[one.value for one in Dialect], default=Dialect.POSTGRES.value)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what is asked; CommandError (exit 1) where the mapping is wrong."""
        if options["action"] == "schema":
            self.stdout.write(json.dumps(schema.SCHEMA, indent=2))
            return
        if options["action"] == "diff":
            self.stdout.write("\n".join(_changed(_versions(options["before"]), _versions(options["after"]))))
            return
        folder = options["folder"] or Path(settings.MAPPING_FOLDER)
        files = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}
        if not files:
            raise CommandError(f"{folder} holds no .yaml file.")
        if options["action"] == "check":
            self._check(files, strict=options["strict"])
            return
        try:
            known = specs.load_set(files)
        except SpecError as error:
            raise CommandError(str(error)) from error
        if options["entity"] not in known:
            raise CommandError(f"The mapping knows no {options['entity']!r}; it knows {', '.join(known)}.")
        spec = known[options["entity"]]
        lines = _compiled(spec, Dialect(options["dialect"])) if options["action"] == "compile" else _told(spec, options)
        self.stdout.write("\n".join(lines))

    def _check(self, files: dict[str, str], *, strict: bool) -> None:
        problems = [problem for name, text in files.items() for problem in _problems(name, text)]
        warnings: list[str] = []
        if not problems:
            try:
                for spec in specs.load_set(files).values():
                    warnings += _warnings(spec)
            except SpecError as error:
                problems = [str(error)]
        for line in (*problems, *(f"warning: {warning}" for warning in warnings)):
            self.stdout.write(line)
        if problems or (strict and warnings):
            raise CommandError(f"{len(problems)} problems, {len(warnings)} warnings.")
        self.stdout.write(f"{len(files)} files are a mapping; {len(warnings)} warnings.")


def _versions(named: str) -> dict[str, Spec]:
    """Read what a file, a folder or the label of a kept version names, by entity."""
    try:
        if "@" in named and not Path(named).exists():
            found = versions.kept([named]).get(named)
            if found is None:
                raise CommandError(f"No version {named} was used here; the admin lists those that were.")
            return {found.entity: specs.load(found.text, file=named)}
        path = Path(named)
        files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        loaded = [specs.load(file.read_text(encoding="utf-8"), file=file.name) for file in files]
    except (SpecError, OSError) as error:
        raise CommandError(str(error)) from error
    if not loaded:
        raise CommandError(f"{named} holds no .yaml file.")
    return {spec.entity: spec for spec in loaded}


def _changed(before: dict[str, Spec], after: dict[str, Spec]) -> Iterator[str]:
    for entity in (*after, *(one for one in before if one not in after)):
        if entity not in before or entity not in after:
            yield f"{entity}: {'added' if entity in after else 'removed'}"
            continue
        old, new = before[entity], after[entity]
        found = changes.between(old, new)
        yield f"{old.label} → {new.label}: {len(found)} change{'' if len(found) == 1 else 's'}"
        for change in found:
            told = " → ".join(filter(None, (change.before, change.after)))
            yield f"  {change.kind} ({change.part.value.lower()}) {change.name}: {told}"


def _problems(name: str, text: str) -> Iterator[str]:
    try:
        specs.load(text, file=name)
    except SpecError as error:
        yield str(error)
        yield from (f"{name}:{line}: {message}" for line, message in error.others)


def _warnings(spec: Spec) -> Iterator[str]:
    if spec.stop_above_percent > STOP_ABOVE_PERCENT:
        yield (
            f"{spec.entity}: stop_above_percent is {spec.stop_above_percent:g}, but the line stops above"
            f" {STOP_ABOVE_PERCENT:g} % rejected rows; lower it, and waive by a policy exception what may stay behind"
        )
    for column in plain.unread(spec):
        yield f"{spec.entity}: nothing reads {column!r}; say `dropped`, with the reason, or leave it out"
    lets = dict(spec.lets)
    for name, node in (*spec.lets, *((column.name, column.expression) for column in spec.columns)):
        if digits.is_narrowed(node, lets):
            yield (
                f"{spec.entity}: {name!r} can have more digits than a comparison calculates with, which calls such a"
                " value different; round what it is made of, as in `round(decimal(x), 3)`"
            )
    if open_cases := [kind for kind in plain.CASES if kind not in spec.cases]:
        yield (
            f"{spec.entity}: `cases` does not say what becomes of objects that are {', '.join(open_cases)}: name a rule"
            " for each, or {none: why there are none}"
        )


def _compiled(spec: Spec, dialect: Dialect) -> Iterator[str]:
    lookups = {name: (quote(lookup.entity), f"key of {lookup.entity}") for name, lookup in spec.lookups.items()}
    compiler = Compiler(dialect, spec.tables, spec.sets, spec.zones, lookups)
    yield f"-- {spec.label} in {dialect}; raw rows stand in {quote('raw')}, all columns as text"
    yield f"{judgement.statement(spec, compiler, quote('raw'))};"
    yield "-- `verdict` counts in this list:"
    for number, one in enumerate(judgement.verdicts(spec)):
        yield f"--   {number}: {one.fate} {one.rule} {one.column}".rstrip()


def _told(spec: Spec, options: dict[str, Any]) -> Iterator[str]:
    if options["row"] is None:
        yield from _words(spec)
        return
    row = {
        name: None if options["row"].get(name) is None else str(options["row"][name]) for name in spec.source_columns
    }
    row[spec.key_column] = keys.written(spec, row)
    world = spec.world({name: options["lookups"].get(name, {}) for name in spec.lookups})
    yield f"{spec.label}, row {row[spec.key_column]}"
    for name, expression, worth in judgement.explain(spec, row, world):
        yield f"  {name} = {'nothing' if worth is None else worth}" + (
            "" if expression == "let" else f"    [{expression}]"
        )
    verdict = judgement.judge(spec, row, world).verdict
    words = wording.of(spec, fate=verdict.fate, rule=verdict.rule, column=verdict.column)
    yield f"{wording.FATES[verdict.fate]}: {words.because}" + (f" {words.fix}" if words.fix else "")
    every = judgement.verdicts(spec)
    for number in inspection.find(spec, row, world):
        one = every[number]
        if one != verdict:
            yield f"Also: {wording.of(spec, fate=one.fate, rule=one.rule, column=one.column).because}"


def _words(spec: Spec) -> Iterator[str]:
    told = plain.tell(spec)
    yield f"{spec.title} ({spec.label}): {spec.source_table} → {spec.target_table}"
    if spec.changed:
        zone = ", taken as UTC" if spec.changed.type == "timestamp" else ""
        yield f"  caught up by “{spec.changed.column}”, which tells when a row changed last{zone}"
    if spec.exported:
        yield f"  {spec.exported.how}"
    if spec.frozen:
        yield f"  frozen in legacy since {spec.frozen.since}: {spec.frozen.because}"
    yield from (f"  {one.name}: {one.how} ({one.must})" for one in told.fields)
    yield from (f"  merged, {one.name}: {one.merged}" for one in told.fields if one.merged)
    yield from (f"  where “{one.name}” is {one.how}" for one in told.steps)
    yield from (
        f"  left out: {name}. {because or 'No reason is declared.'} {on}".rstrip() for name, because, on in told.unread
    )
    for title, rules in (
        ("left behind", told.left_behind),
        ("rejected", told.rejected),
        ("moved by a rule", told.changed),
    ):
        yield from (f"  {title}: {rule.name}. {rule.because}" for rule in rules)
    yield from (f"  {kind}: {answer}" for kind, answer in told.cases)
    yield from (f"  must hold on both platforms: {says} ({asked})" for says, asked in told.must_hold)
