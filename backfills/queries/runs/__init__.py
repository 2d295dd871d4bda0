"""What has moved: per entity the latest run, where every row ended, and what was rejected."""

from backfills.queries.runs.entities import EntityRow, Outcome, Rejects
from backfills.queries.runs.listed import ADVANCE, HELP, KEEP_UP, batches, find, history, latest, letters, retries
from backfills.queries.runs.moves import Moves, left_out, moves, of_entity
from backfills.queries.runs.single import Told, told

__all__ = [
    "ADVANCE",
    "HELP",
    "KEEP_UP",
    "EntityRow",
    "Moves",
    "Outcome",
    "Rejects",
    "Told",
    "batches",
    "find",
    "history",
    "latest",
    "left_out",
    "letters",
    "moves",
    "of_entity",
    "retries",
    "told",
]
