"""The tables of cutover."""

from cutover.models.cutovers import Cutover, PhaseChange

__all__ = ["Cutover", "PhaseChange"]
