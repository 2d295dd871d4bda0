"""The demo's DNS data: one file that the DNS server reads at every question and the provider's console writes."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from portal.house import state

STRING_LIMIT = 255  # RFC 1035 3.3: one character string of a TXT record


class Fault(StrEnum):
    """How the name servers of a zone can be out of order."""

    TIMEOUT = "timeout"
    SERVFAIL = "servfail"
    REFUSED = "refused"


@dataclass(frozen=True)
class Record:
    """One record: the whole name in lower case without a closing dot, its type, value and TTL in seconds."""

    name: str
    kind: str
    value: str
    ttl: int = 60

    @property
    def strings(self) -> list[str]:
        """A TXT value cut into character strings, as every provider does with a long one."""
        return [self.value[start : start + STRING_LIMIT] for start in range(0, len(self.value), STRING_LIMIT)] or [""]


@dataclass
class Zones:
    """Every registered domain with its records, and what is made to fail."""

    domains: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    def domain_of(self, name: str) -> str | None:
        """Return the registered domain that a name lies in, the longest match."""
        within = [domain for domain in self.domains if name == domain or name.endswith(f".{domain}")]
        return max(within, key=len, default=None)

    def fault_of(self, name: str) -> Fault | None:
        """Return how the servers fail for a name, by its longest ending with a fault."""
        within = [ending for ending in self.faults if name == ending or name.endswith(f".{ending}")]
        return Fault(self.faults[max(within, key=len)]) if within else None

    def find(self, name: str) -> list[Record]:
        """Return the records at a name; where nothing stands at or below it, those of a wildcard (RFC 4592)."""
        here = [record for record in self.records if record.name == name]
        if here or self.exists(name):
            return here
        parent = name.partition(".")[2]
        while parent:
            if wild := [record for record in self.records if record.name == f"*.{parent}"]:
                return wild
            if self.exists(parent):
                break
            parent = parent.partition(".")[2]
        return []

    def exists(self, name: str) -> bool:
        """Tell whether a name has records or lies above one that has (an empty non-terminal)."""
        return name in self.domains or any(
            record.name == name or record.name.endswith(f".{name}") for record in self.records
        )


class ZoneFile:
    """The file that holds the zones; written whole or not at all, one writer at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Zones:
        """Return the zones; none before the first was published."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Zones()
        return Zones(content["domains"], [Record(**record) for record in content["records"]], content["faults"])

    @contextmanager
    def edit(self) -> Iterator[Zones]:
        """Yield the zones to change, and write them unless the block raises."""
        with self.path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            zones = self.read()
            yield zones
            draft = self.path.with_suffix(".new")
            with draft.open("w", encoding="utf-8") as file:
                json.dump(asdict(zones), file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)

    def publish(self, name: str, value: str, *, kind: str = "TXT", ttl: int = 60) -> None:
        """Publish a record once; the domain it lies in is registered by `register`."""
        record = Record(_name(name), kind, value, ttl)
        with self.edit() as zones:
            if record not in zones.records:
                zones.records.append(record)

    def withdraw(self, name: str, *, kind: str = "TXT", value: str | None = None) -> None:
        """Remove the records of a type at a name, or only the one with the value."""
        with self.edit() as zones:
            zones.records = [
                record
                for record in zones.records
                if (record.name, record.kind) != (_name(name), kind) or (value is not None and record.value != value)
            ]

    def register(self, domain: str) -> None:
        """Let a domain exist, as its registrar does."""
        with self.edit() as zones:
            if _name(domain) not in zones.domains:
                zones.domains.append(_name(domain))


def zone_file() -> ZoneFile:
    """Return the demo's zone file, in the state folder of this checkout."""
    return ZoneFile(state.prepare() / "dns.json")


def register(domain: str) -> None:
    """Let a domain exist in the demo's DNS."""
    zone_file().register(domain)


def publish(name: str, value: str, *, kind: str = "TXT", ttl: int = 60) -> None:
    """Publish a record in the demo's DNS, as a customer does at their provider; safe to repeat."""
    zone_file().publish(name, value, kind=kind, ttl=ttl)


def _name(name: str) -> str:
    return name.strip().rstrip(".").lower()
