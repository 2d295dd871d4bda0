"""How the ledger's entries of compliance are told to people."""

from collections.abc import Mapping
from typing import Any

from compliance.domain.datasets import Dataset
from core.activity import Sentence, sentences


def _deletion(did: str, then: str = "") -> Sentence:
    """Return a sentence on a deletion: how many rows, and of what."""

    def tell(data: Mapping[str, Any]) -> str:
        return " ".join(filter(None, (did, str(data["rows"]), Dataset(data["dataset"]).rows, then)))

    return tell


sentences(
    {
        "compliance.obligation.recorded": "recorded the promise “{key}”",
        "compliance.obligation.control_stated": "stated what keeps the promise “{key}”",
        "compliance.obligation.planned": "planned what will keep the promise “{key}”",
        "compliance.obligation.retired": "ended the promise “{key}”",
        "compliance.deletion.ordered": _deletion("ordered the deletion of"),
        "compliance.deletion.begun": _deletion("began to delete"),
        "compliance.deletion.attested": _deletion("deleted", "and sealed the attestation"),
        "compliance.preserved.exported": "took the copies of {copies} objects that a legal hold preserved",
        "compliance.evidence.frozen": "froze an evidence pack for an audit",
    }
)
