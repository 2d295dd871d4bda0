"""Runs: start, advance by one committed batch, pause, resume, and cancel."""

from backfills.services.runs.advancing import RANGES, UnableToMove, advance, help_along
from backfills.services.runs.ending import fail
from backfills.services.runs.pausing import UnableToPause, cancel, pause, resume
from backfills.services.runs.starting import UnableToStart, start

__all__ = [
    "RANGES",
    "UnableToMove",
    "UnableToPause",
    "UnableToStart",
    "advance",
    "cancel",
    "fail",
    "help_along",
    "pause",
    "resume",
    "start",
]
