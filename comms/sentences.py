"""How comms' ledger entries are told, to follow the name of who did it."""

from collections.abc import Mapping
from typing import Any

from comms.domain.cases import Severity
from core.ledger import sentences

_WHAT = {
    "announce": "the announcement of the move",
    "reminder": "a reminder",
    "cutover": "news of the cutover",
    "after": "the message after the move",
    "signature": "a message about the go/no-go",
    "support": "a message about a support case",
}


def _about(verb: str) -> Any:
    def say(data: Mapping[str, Any]) -> str:
        kind = str(data.get("template", "")).partition(".")[0]
        return f"{verb} {_WHAT.get(kind, 'a message')}"

    return say


def _issued(data: Mapping[str, Any]) -> str:
    count = data.get("people", 0)
    return f"{_about('sent')(data)} to {count} {'person' if count == 1 else 'people'}"


def _opened(data: Mapping[str, Any]) -> str:
    severity = str(data.get("severity", ""))
    known = severity in {one.value for one in Severity}
    return f"opened a support case ({Severity(severity).short.lower()})" if known else "opened a support case"


def _moved(data: Mapping[str, Any]) -> str:
    said = {"in_progress": "took up", "waiting": "answered", "resolved": "resolved", "closed": "closed"}
    return f"{said.get(str(data.get('target')), 'changed')} a support case"


def _written(data: Mapping[str, Any]) -> str:
    return "answered a support case" if data.get("ours") else "wrote in a support case"


def _escalated(data: Mapping[str, Any]) -> str:
    rung = data.get("rung")
    return f"escalated a support case to: {rung}" if rung else "escalated a support case"


sentences(
    {
        "comms.timeline.planned": "planned the messages about the window",
        "comms.mailing.issued": _issued,
        "comms.mailing.changed": _about("changed"),
        "comms.mailing.skipped": _about("skipped"),
        "comms.mailing.withdrawn": _about("withdrew"),
        "comms.delivery.sent_again": "had a mail sent again",
        "comms.preference.chosen": "chose which mails to get",
        "comms.status.told": "published a status update: “{title}”",
        "comms.case.opened": _opened,
        "comms.case.written": _written,
        "comms.case.moved": _moved,
        "comms.case.assigned": "assigned a support case",
        "comms.case.tagged": "tagged a support case as feedback",
        "comms.case.escalated": _escalated,
    }
)
