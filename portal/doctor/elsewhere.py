"""A legacy platform that is no PostgreSQL: whether it holds what the mapping names, in what can be read exactly."""

import re
from collections.abc import Iterator

from backfills.domain.spec import Spec
from backfills.queries import mapping
from core import ports
from parity_reports.domain.gate import Family
from portal.adapters.comparison.platforms import Sources
from portal.adapters.comparison.platforms.mysql import MySql
from portal.adapters.legacy.engine import EngineLegacy
from portal.doctor import Symptom

_NOBODY = ""
"""A tenant without rows: what is asked is whether they could be read."""

_HARMLESS = {"USAGE", "SELECT", "SHOW VIEW"}


def legacy(adapter: EngineLegacy) -> Iterator[Symptom]:
    """Look at each entity's table or file; a file is read to its end, for it is refused if any line is not right."""
    for spec in mapping.specs().values():
        yield Symptom(f"legacy holds what {spec.entity} reads", _unreadable(adapter, spec))
    with adapter.reading() as (session, platform):
        if isinstance(platform, MySql):
            granted = ", ".join(platform.grants(session))
            rights = sorted({right for right in re.findall(r"GRANT (.+?) ON ", granted) for right in right.split(", ")})
            excess = ", ".join(right for right in rights if right not in _HARMLESS)
            revoke = f"it may also {excess}: revoke that, Crossing only reads legacy"
            yield Symptom("our role only reads legacy", revoke if excess else "")


def _unreadable(adapter: EngineLegacy, spec: Spec) -> str:
    """Return why an entity's rows cannot be read, or ''."""
    try:
        with adapter.reading() as (session, platform):
            platform.texts(session, Sources(spec, _NOBODY))
            if spec.changed:
                column, kind = spec.changed.column, spec.changed.type
                family = platform.gate(session, spec.source_table, {column: kind})[column].family
                if family not in (Family(kind), Family.TEXT):
                    told = f"say `{family}` in the mapping" if family in _CLOCKS else "make a view with a moment in it"
                    return f"{column}, which tells when a row changed, is a {family} there: {told}"
    except (ports.Rejected, ports.Unavailable) as problem:
        return str(problem)
    return ""


_CLOCKS = (Family.TIMESTAMP, Family.TIMESTAMPTZ)
