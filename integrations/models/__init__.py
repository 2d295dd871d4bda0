"""The tables of integrations."""

from integrations.models.deliveries import Attempt, Message
from integrations.models.endpoints import Endpoint, HarnessRun
from integrations.models.inventory import Item

__all__ = ["Attempt", "Endpoint", "HarnessRun", "Item", "Message"]
