"""How the ledger's entries of backfills are told to people."""

from core.activity import sentences

sentences(
    {
        "backfills.run.requested": "asked to move {entity}",
        "backfills.run.started": "began to move {entity}: {source_total} rows",
        "backfills.run.finished": "moved {entity}: {source_total} rows accounted for",
        "backfills.run.failed": "could not move {entity} to the end",
        "backfills.run.paused": "paused the move of {entity}",
        "backfills.run.resumed": "let the move of {entity} go on",
        "backfills.run.retried": "tried the rejected rows of {entity} again",
    }
)
