"""The tables of runbooks."""

from runbooks.models.exceptions import PolicyException
from runbooks.models.runbooks import Runbook, Step

__all__ = ["PolicyException", "Runbook", "Step"]
