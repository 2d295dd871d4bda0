"""What is connected to legacy, in memory, held to its word by `tests/contract/test_inventory.py`."""

from core import ports, tenancy
from core.inventory import Integration


class FakeInventory:
    """Answers from `connected`, which a test fills by tenant; `trouble` is raised instead."""

    connected: dict[str, list[Integration]] = {}
    trouble: ports.Unavailable | ports.Rejected | None = None

    @classmethod
    def reset(cls) -> None:
        """Forget everything."""
        cls.connected, cls.trouble = {}, None

    def integrations(self, *, tenant_ref: str) -> tuple[Integration, ...]:
        """Answer as `core.ports.Inventory` promises."""
        tenancy.forbid_transaction("Talking to the legacy platform")
        if self.trouble:
            raise self.trouble
        return tuple(sorted(self.connected.get(tenant_ref, []), key=lambda one: (one.kind, one.key)))
