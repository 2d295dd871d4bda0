"""DNS in memory, held to its word by `tests/contract/test_dns.py`."""

from core import tenancy
from core.dns import MAX_CNAME_HOPS, DnsAnswer, DnsStatus
from portal.demo.dns import Record, Zones

NEGATIVE_TTL = 30


class FakeDns:
    """Answers from `zones`, which a test fills; the adapter of a port is built once per process, so `reset()`."""

    zones = Zones()
    asked: list[str] = []
    own: Zones | None = None
    """What the zones' own name servers answer, where that differs; None: they cannot be told."""

    @classmethod
    def reset(cls) -> None:
        """Forget every record and question."""
        cls.zones, cls.asked, cls.own = Zones(), [], None

    @classmethod
    def publish(cls, name: str, value: str, *, kind: str = "TXT", ttl: int = 60) -> None:
        """Publish a record."""
        cls.zones.records.append(Record(name, kind, value, ttl))

    def txt(self, name: str) -> DnsAnswer:
        """Answer as `core.ports.Dns` promises."""
        tenancy.forbid_transaction("Asking DNS")
        self.asked.append(name)
        return self._answer(self.zones, name)

    def source(self, name: str) -> DnsAnswer | None:
        """Answer as `core.ports.Dns` promises."""
        tenancy.forbid_transaction("Asking DNS")
        if self.own is None:
            return None
        alias = [record.value for record in self.own.find(name.lower()) if record.kind == "CNAME"]
        return DnsAnswer(DnsStatus.NO_DATA, cnames=(alias[0],)) if alias else self._answer(self.own, name)

    def _answer(self, zones: Zones, name: str) -> DnsAnswer:
        cnames: list[str] = []
        here = name.lower()
        while True:
            if fault := zones.fault_of(here):
                return DnsAnswer(DnsStatus(fault.value), cnames=tuple(cnames))
            records = zones.find(here)
            if values := [record for record in records if record.kind == "TXT"]:
                texts = tuple(record.value for record in values)
                return DnsAnswer(DnsStatus.FOUND, values=texts, cnames=tuple(cnames), ttl=values[0].ttl)
            alias = next((record.value for record in records if record.kind == "CNAME"), None)
            if alias is None:
                status = DnsStatus.NO_DATA if zones.exists(here) else DnsStatus.NXDOMAIN
                ttl = NEGATIVE_TTL if zones.domain_of(here) else None
                return DnsAnswer(status, cnames=tuple(cnames), ttl=ttl)
            cnames.append(alias)
            if len(cnames) > MAX_CNAME_HOPS or alias in (name, *cnames[:-1]):
                return DnsAnswer(DnsStatus.CNAME_LOOP, cnames=tuple(cnames))
            here = alias
