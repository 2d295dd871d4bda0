"""How the ledger's entries of parity reports are told."""

from core.activity import sentences

sentences(
    {
        "parity_reports.report.requested": "asked for a comparison of both platforms",
        "parity_reports.report.finished": "finished a comparison: {verdict}",
    }
)
