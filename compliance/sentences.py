"""How the ledger's entries of compliance are told to people."""

from core.activity import sentences

sentences(
    {
        "compliance.obligation.recorded": "recorded the promise “{key}”",
        "compliance.obligation.control_stated": "stated what keeps the promise “{key}”",
        "compliance.obligation.planned": "planned what will keep the promise “{key}”",
        "compliance.obligation.retired": "ended the promise “{key}”",
        "compliance.deletion.ordered": "ordered the deletion of {rows} staged rows",
        "compliance.deletion.attested": "deleted {rows} staged rows and sealed the attestation",
        "compliance.preserved.exported": "took the copies of {copies} objects that a legal hold preserved",
        "compliance.evidence.frozen": "froze an evidence pack for an audit",
    }
)
