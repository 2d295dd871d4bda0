r"""Check a Crossing parity report against an export of your own data.

    python3 crossing_verify_parity.py REPORT.json ENTITY=EXPORT [ENTITY=EXPORT ...] --code CODE

REPORT.json and CODE are on the report's page. ENTITY is a name from the report, EXPORT a file of that entity's records
as the new platform gives them: CSV with a header line, a JSON list of objects, or JSON lines; UTF-8. For example

    psql -c "\copy (SELECT * FROM flights) TO flights.csv WITH (FORMAT csv, HEADER)"
    python3 crossing_verify_parity.py parity.json flights=flights.csv --code 6fb3a1c9...

In CSV nothing between two commas is no value (NULL), "" is the empty text; --null '\N' says that NULL looks otherwise.
Nothing leaves your computer. This file needs Python 3.10 or newer and nothing else.

Exit status 0: every export agrees with the report. 1: one does not, and the records are named. 2: could not be checked.
How the checksums are made: docs/parity-encoding.md.
"""

import argparse
import hashlib
import itertools
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from parity_reports.domain.checksums import Bucket, Clue, clues, place, read
from parity_reports.domain.encoding import VERSION, NotEncodable, digest_of, is_kind, record

LARGEST_REPORT = 200_000_000
LARGEST_RECORD = 16_000_000
LISTED = 20


class CannotCheck(Exception):
    """The check could not be made; the text is one sentence that says why and what to do."""


@dataclass(frozen=True)
class Expectation:
    """What a report says of one entity."""

    entity: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    key: int
    code: str
    buckets: list[Bucket]

    @property
    def records(self) -> int:
        """How many records the report counted."""
        return sum(bucket.count for bucket in self.buckets)


@dataclass(frozen=True)
class Options:
    """How an export is to be read: the headers of columns that have others, the delimiter and the text of NULL."""

    headers: dict[str, str]
    delimiter: str = ","
    null: str | None = None


@dataclass(frozen=True)
class Row:
    """One record of an export: where it stands, its bucket and name, its digest and its key as written."""

    where: str
    bucket: int
    name: int
    digest: int
    key: str


def expectation(report: dict[str, Any], entity: str, code: str) -> Expectation:
    """Return what a report says of an entity. Raises CannotCheck, also for a report that was tampered with."""
    found = [one for one in report["entities"] if one["entity"] == entity]
    if not found:
        known = ", ".join(str(one["entity"]) for one in report["entities"])
        raise CannotCheck(f"The report knows no “{shown(entity)}”; it has {shown(known)}.")
    sums = found[0].get("checksums")
    if sums is None:
        if "sample" in found[0].get("compared", {}):
            raise CannotCheck(f"The report compared only a sample of {entity}: take a full report to check it.")
        raise CannotCheck(f"The report holds no checksums of {entity}: it was not wholly compared, or is an older one.")
    if sums["encoding"] != VERSION:
        raise CannotCheck(
            f"The report was made with {shown(str(sums['encoding']))}, this verifier reads {VERSION}: take the "
            "verifier from the report's own page."
        )
    if hashlib.sha256(code.encode()).hexdigest() != sums["code_sha256"]:
        raise CannotCheck("That is not the code of this report: take it from the report's page.")
    columns = tuple(str(column["name"]) for column in sums["columns"])
    kinds = tuple(str(column["kind"]) for column in sums["columns"])
    buckets = read(sums["buckets"])
    if not buckets or not all(map(is_kind, kinds)):
        raise ValueError
    return Expectation(entity, columns, kinds, columns.index(sums["key"]), code, buckets)


def load(path: Path) -> tuple[dict[str, Any], str]:
    """Read a report; return it with the SHA-256 of its file."""
    data = path.read_bytes() if path.stat().st_size <= LARGEST_REPORT else b""
    try:
        report = json.loads(data)
    except (ValueError, RecursionError):
        report = None
    known = isinstance(report, dict) and str(report.get("format")).startswith("crossing-parity/")
    if not known or not isinstance(report.get("entities"), list):
        raise CannotCheck(f"{path} is not the JSON file of a parity report.")
    return report, hashlib.sha256(data).hexdigest()


def rows(path: Path, expected: Expectation, options: Options) -> Iterator[Row]:
    """Yield an export's records, digested. Raises CannotCheck for what cannot be read as that entity's."""
    headers = [options.headers.get(column, column) for column in expected.columns]
    only_key = expected.kinds[expected.key : expected.key + 1]
    for where, values in _records(path, headers, expected.kinds, options):
        key = values[expected.key]
        try:
            digest = digest_of(record(expected.kinds, values, code=expected.code))
            bucket, name = place(record(only_key, [key], code=expected.code), len(expected.buckets))
        except NotEncodable:
            raise CannotCheck(f"{path}, {where}: {_fault(expected, headers, values)}.") from None
        yield Row(where, bucket, name, digest, shown(str(key)))


def summed(found: Iterator[Row], buckets: int) -> list[Bucket]:
    """Return the buckets of records."""
    sums = [Bucket() for _ in range(buckets)]
    for row in found:
        sums[row.bucket].add(digest=row.digest, name=row.name)
    return sums


def explain(differing: list[Clue], found: Iterator[Row], earlier: Iterator[Row]) -> Iterator[str]:
    """Yield one line per differing bucket that names its record, or those among which several differ."""
    by_bucket: dict[int, list[Row]] = {clue.bucket: [] for clue in differing}
    for row in found:
        if row.bucket in by_bucket:
            by_bucket[row.bucket].append(row)
    wanted = {(clue.bucket, clue.name) for clue in differing if clue.kind == "missing"}
    known = {(row.bucket, row.name): row for row in earlier if (row.bucket, row.name) in wanted}
    for clue in differing:
        there = [row for row in by_bucket[clue.bucket] if row.name == clue.name]
        if clue.kind == "missing" and not there:
            other = known.get((clue.bucket, clue.name))
            told = f" It is {other.key} ({other.where} of the earlier export)." if other else ""
            yield f"missing: one record of the report is not in your export, its name is {clue.name:08x}.{told}"
        elif clue.kind == "extra" and len(there) > 1:
            yield f"twice: {there[0].key} stands {len(there)} times ({', '.join(row.where for row in there[:5])})"
        elif clue.kind in ("extra", "changed") and there:
            says = "only in your export" if clue.kind == "extra" else "changed"
            yield f"{says}: {there[0].key} ({there[0].where})"
        else:
            yield _several(by_bucket[clue.bucket])


def _several(among: list[Row]) -> str:
    seen: dict[str, int] = {}
    for row in among:
        seen[row.key] = seen.get(row.key, 0) + 1
    twice = [key for key, number in seen.items() if number > 1]
    more = f" and {len(seen) - 5} more" if len(seen) > 5 else ""
    told = f"; {', '.join(twice[:5])} more than once" if twice else ""
    return f"several records differ, some of: {', '.join(list(seen)[:5]) or 'what your export lacks'}{more}{told}"


def shown(text: str) -> str:
    """Return text that is safe on a terminal, at most 80 characters of it."""
    cut = text if len(text) <= 80 else text[:80] + "…"
    return cut if cut.isprintable() else ascii(cut)[1:-1]


def _fault(expected: Expectation, headers: list[str], values: list[Any]) -> str:
    for header, kind, value in zip(headers, expected.kinds, values, strict=True):
        try:
            record([kind], [value])
        except NotEncodable as problem:
            return f"the column “{shown(header)}” {problem}"
    return "the record cannot be encoded"


def _records(path: Path, headers: list[str], kinds: Sequence[str], options: Options) -> Iterator[tuple[str, list[Any]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            start = file.readline(LARGEST_RECORD + 1)
            opening = start.lstrip()[:1]
            again = itertools.chain([start], iter(lambda: file.readline(LARGEST_RECORD + 1), ""))
            if not start:
                raise CannotCheck(f"{path} is empty.")
            if opening == "[":
                yield from _objects(path, enumerate(_listed(path, start, file), start=1), headers, "record")
            elif opening == "{":
                lines = ((number, _parsed(path, number, line)) for number, line in enumerate(again, 1) if line.strip())
                yield from _objects(path, lines, headers, "line")
            else:
                for where, given in _table(path, again, headers, options):
                    # Some exports quote everything: in a column that cannot hold it, "" can only be no value.
                    yield (
                        where,
                        [
                            None if value == "" and not kind.startswith(("text", "bytes")) else value
                            for kind, value in zip(kinds, given, strict=True)
                        ],
                    )
    except UnicodeDecodeError:
        raise CannotCheck(f"{path} is not UTF-8: export it as UTF-8.") from None
    except OSError as problem:
        raise CannotCheck(f"{path} cannot be read ({problem.strerror or type(problem).__name__}).") from None


def _listed(path: Path, start: str, file: TextIO) -> list[Any]:
    found = _parsed(path, 1, start + file.read())
    return found if isinstance(found, list) else [found]


def _parsed(path: Path, number: int, text: str) -> Any:
    if len(text) > LARGEST_RECORD and number > 1:
        raise CannotCheck(f"{path}, line {number} is longer than any record may be.")
    try:
        return json.loads(text, parse_int=Decimal, parse_float=Decimal, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise CannotCheck(f"{path} is not JSON, from line {number} on.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("one name twice")
    return dict(pairs)


def _objects(
    path: Path, found: Iterator[tuple[int, Any]], headers: list[str], what: str
) -> Iterator[tuple[str, list[Any]]]:
    for number, item in found:
        if not isinstance(item, dict):
            raise CannotCheck(f"{path}, {what} {number} is not a JSON object.")
        lacking = [header for header in headers if header not in item]
        if lacking:
            raise CannotCheck(f"{path}, {what} {number} has no “{shown(lacking[0])}”{_hint(lacking[0], list(item))}")
        yield f"{what} {number}", [item[header] for header in headers]


def _table(path: Path, lines: Iterator[str], headers: list[str], options: Options) -> Iterator[tuple[str, list[Any]]]:
    found = _lines(path, lines, options)
    titles = next(found, ("", []))[1]
    for header in headers:
        if titles.count(header) != 1:
            problem = "has no column" if header not in titles else "has two columns named"
            raise CannotCheck(f"{path} {problem} “{shown(header)}”{_hint(header, titles)}")
    places = [titles.index(header) for header in headers]
    for where, values in found:
        if len(values) != len(titles):
            raise CannotCheck(f"{path}, {where} has {len(values)} fields, the header {len(titles)}.")
        yield where, [values[place] for place in places]


def _lines(path: Path, lines: Iterator[str], options: Options) -> Iterator[tuple[str, list[str | None]]]:
    """Yield the records of a CSV file (RFC 4180), each with the line it begins in."""
    number, null = 0, options.null if options.null is not None else ""
    unquoted = re.compile(f'[^"{re.escape(options.delimiter)}]*')
    for line in lines:
        number += 1
        where, text = f"line {number}", line
        while text.count('"') % 2:
            more = next(lines, "")
            number += 1
            text += more
            if not more or len(text) > LARGEST_RECORD:
                raise CannotCheck(f"{path}, {where}: a quotation mark is opened and never closed.")
        if len(text) > LARGEST_RECORD:
            raise CannotCheck(f"{path}, {where} is longer than any record may be.")
        text = text.rstrip("\r\n") if text.endswith(("\r", "\n")) else text
        if not text:
            continue
        if '"' not in text:
            yield where, [None if part == null and number > 1 else part for part in text.split(options.delimiter)]
            continue
        fields: list[str | None] = []
        at = 0
        while at <= len(text):
            quoted = _QUOTED.match(text, at)
            plain = quoted or unquoted.match(text, at)
            assert plain is not None
            value = quoted[1].replace('""', '"') if quoted else plain[0]
            fields.append(None if value == null and not quoted and number > 1 else value)
            at = plain.end() + 1
            if at <= len(text) and text[at - 1] != options.delimiter:
                raise CannotCheck(f"{path}, {where}: a quotation mark stands where none may.")
        yield where, fields


_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"')


def _hint(header: str, known: Sequence[str | None]) -> str:
    there = shown(", ".join(str(one) for one in known))
    return f" (it has {there}); if it has another name there, say --header {shown(header)}=NAME."


def _pair(text: str) -> tuple[str, str]:
    one, equals, two = text.partition("=")
    if not (one and equals and two):
        raise argparse.ArgumentTypeError(f"“{text}” is not NAME=VALUE")
    return one, two


def check(options: argparse.Namespace) -> int:
    """Check every export; print what is found and return the exit status."""
    report, sha256 = load(options.report)
    reading = Options(dict(options.header), options.delimiter, options.null)
    print(f"Report {shown(str(report.get('run')))}, finished {shown(str(report.get('finished_at')))}")
    print(
        f"SHA-256 of the report: {sha256}\n  (the report's page shows the same digest if nobody has altered this file)"
    )
    agrees = True
    for entity, file in options.exports:
        try:
            expected = expectation(report, entity, options.code)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise CannotCheck(f"What the report says of {shown(entity)} is damaged: download it again.") from None
        path = Path(file)
        found = summed(rows(path, expected, reading), len(expected.buckets))
        differing = clues(expected.buckets, found)
        count = sum(bucket.count for bucket in found)
        if not differing:
            print(f"{entity}: EQUAL. All {count:,} records of {path} are those of the report.")
            continue
        agrees = False
        print(
            f"{entity}: DIFFERENT. {path} has {count:,} records, the report {expected.records:,}; "
            f"{len(differing)} of {len(found)} buckets differ."
        )
        earlier = rows(options.earlier, expected, reading) if options.earlier else iter(())
        for line in explain(differing[:LISTED], rows(path, expected, reading), earlier):
            print(f"  {line}")
        if len(differing) > LISTED:
            print(f"  … and {len(differing) - LISTED} more buckets")
    checked = {entity for entity, _ in options.exports}
    others = [
        name for name in dict.fromkeys(str(one.get("entity")) for one in report["entities"]) if name not in checked
    ]
    if others:
        print(f"Not checked: {shown(', '.join(others))}.")
    says = "What was checked agrees" if others else "Your data agree"
    print(f"{says} with the report." if agrees else "Your data do NOT agree with the report.")
    return 0 if agrees else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="crossing_verify_parity.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("report", type=Path, metavar="REPORT.json")
    parser.add_argument("exports", type=_pair, nargs="+", metavar="ENTITY=EXPORT")
    parser.add_argument("--code", required=True, help="the report's code, from its page")
    parser.add_argument("--header", type=_pair, action="append", default=[], metavar="COLUMN=NAME",
                        help="a column that has another name in the export (may be repeated)")  # fmt: skip
    parser.add_argument("--delimiter", default=",", help="what stands between two fields of CSV (default: a comma)")
    parser.add_argument("--null", help="the unquoted text that means NULL in CSV (default: nothing at all)")
    parser.add_argument("--earlier", type=Path, help="another export that may have the records which this one lacks")
    options = parser.parse_args(arguments)
    if len(options.delimiter) != 1 or options.delimiter in '"\r\n':
        parser.error("the delimiter is one character")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return check(options)
    except (CannotCheck, OSError) as problem:
        print(f"Cannot check: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
