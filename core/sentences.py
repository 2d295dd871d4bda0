"""How the floor's own entries are told in activity lists."""

from collections.abc import Mapping
from typing import Any

from core import ledger


def _evaluated(data: Mapping[str, Any]) -> str:
    outcomes = list(data.get("outcomes", {}).values())
    what = "the preflight" if data.get("complete") else f"{len(outcomes)} check{'s' if len(outcomes) != 1 else ''}"
    open_ones = sum(outcome not in ("pass", "warn") for outcome in outcomes)
    return f"ran {what}: {open_ones or 'nothing'} in the way"


ledger.sentences({
    "core.readiness.evaluated": _evaluated,
    "core.token.issued": "issued an API token",
    "core.token.rotated": "replaced an API token by a new one",
    "core.token.revoked": "revoked an API token",
    "core.toggle.switched_on": "switched on “{name}”",
    "core.toggle.switched_off": "switched off “{name}”",
    "core.toggle.expired": "let “{name}” expire",
    "core.hold.placed": "placed a hold ({kind})",
    "core.hold.released": "released a hold ({kind})",
    "core.hold.expired": "let a hold expire ({kind})",
    "core.ledger.exported": "exported the ledger",
    "core.ledger.datum_erased": "erased personal data from beside the ledger",
    "core.staff_scope.opened": "opened a staff scope: {reason}",
})  # fmt: skip
