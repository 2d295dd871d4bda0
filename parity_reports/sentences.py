"""How the ledger's entries of parity reports are told."""

from core.activity import sentences

sentences(
    {
        "parity_reports.findings.erased": "erased what comparisons found: {rows} rows",
        "parity_reports.report.requested": "asked for a comparison of both platforms",
        "parity_reports.report.finished": "finished a comparison: {verdict}",
        "parity_reports.drift.changed": "looked again after the comparison: {appeared} more records differ,"
        " {resolved} are equal again",
        "parity_reports.drift.explained": "explained why a record differs since the comparison",
        "parity_reports.shadow.changed": "made people’s reads of both platforms: {appeared} more disagree,"
        " {resolved} no longer do",
        "parity_reports.reconciliation.previewed": "looked at what would put {entity} right: {records} records",
        "parity_reports.reconciliation.confirmed": "asked to have {entity} put right",
        "parity_reports.reconciliation.approved": "agreed to have {entity} put right",
        "parity_reports.reconciliation.refused": "refused to have {entity} put right",
        "parity_reports.reconciliation.undo_asked": "asked to have {entity} put back as it was",
        "parity_reports.reconciliation.batch": "put some records of {entity} right",
        "parity_reports.reconciliation.undone_batch": "put some records of {entity} back as they were",
        "parity_reports.reconciliation.done": "ended putting {entity} right",
        "parity_reports.reconciliation.undone": "ended putting {entity} back",
        "parity_reports.reconciliation.failed": "could not put {entity} right",
        "parity_reports.workflow.relied_on": "said that the account relies on “{title}”",
        "parity_reports.workflow.released": "said that the account no longer relies on “{title}”",
        "parity_reports.workflow.tried": "confirmed that “{title}” was tried on the new platform",
        "parity_reports.workflow.difference_accepted": "accepted that “{title}” is not on the new platform",
    }
)
