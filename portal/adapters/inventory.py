"""What is connected to the legacy platform, read from its tables through the role that may only read."""

from collections.abc import Iterator
from datetime import date, datetime

from core.inventory import Integration, Kind
from portal.adapters.postgres import connected

_KINDS = {"ETL": Kind.ETL, "SIEM": Kind.SIEM, "SSO": Kind.SSO, "CONN": Kind.CONNECTOR}
_READ = """
SELECT 'HOOK', hook_id::text, url_txt, url_txt, evt_lst, NULL, act_flg FROM hook_mast WHERE carr_cd = %(ref)s
UNION ALL SELECT 'KEY', key_id::text, key_lbl, NULL, scp_lst, last_dt, act_flg FROM api_key WHERE carr_cd = %(ref)s
UNION ALL SELECT intg_typ, intg_id::text, intg_nm, url_txt, feed_lst, last_dt, act_flg FROM intg_mast
 WHERE carr_cd = %(ref)s
"""


class PostgresInventory:
    """Reads webhooks, API keys and everything else that is connected; never the digests of their secrets."""

    def __init__(self, *, url: str, statement_timeout: int = 20) -> None:
        self.url, self.statement_timeout = url, statement_timeout

    def integrations(self, *, tenant_ref: str) -> tuple[Integration, ...]:
        """Return all that is connected for a tenant; see `core.ports.Inventory`."""
        with connected(self.url, platform="legacy", statement_timeout=self.statement_timeout) as connection:
            rows = connection.execute(_READ, {"ref": tenant_ref}).fetchall()
        return tuple(sorted(_read(rows), key=lambda one: (one.kind, one.key)))


def _read(rows: list[tuple[str, ...]]) -> Iterator[Integration]:
    for kind, key, name, address, scopes, last_used, active in rows:
        yield Integration(
            kind={"HOOK": Kind.WEBHOOK, "KEY": Kind.API_KEY, **_KINDS}.get(kind.strip(), Kind.CONNECTOR),
            key=key,
            name=name,
            address=address or "",
            scopes=tuple(part.strip() for part in scopes.split(",") if part.strip()),
            last_used_on=_day(last_used),
            is_active=active == "Y",
        )


def _day(text: str | None) -> date | None:
    """Read a day as legacy writes it; one that is none counts as never."""
    try:
        return datetime.strptime(text or "", "%Y%m%d").date()  # noqa: DTZ007  (a day has no zone)
    except ValueError:
        return None
