"""How the ledger's entries of runbooks are told to people."""

from collections.abc import Mapping
from typing import Any

from core.activity import sentences
from core.readiness import title_of
from runbooks.domain.template import STEPS

_TITLES = {step.key: step.title for step in STEPS}


def _about_step(verb: str) -> Any:
    def say(data: Mapping[str, Any]) -> str:
        key = str(data.get("key", ""))
        return f"{verb} “{_TITLES.get(key, key)}”"

    return say


def _about_check(verb: str) -> Any:
    def say(data: Mapping[str, Any]) -> str:
        return f"{verb} an exception from “{title_of(str(data.get('check', '')))}”"

    return say


sentences(
    {
        "runbooks.runbook.opened": "opened the runbook, {steps} steps, T0 on {cutover_on}",
        "runbooks.runbook.rescheduled": "moved T0 from {from} to {to}",
        "runbooks.step.signed": _about_step("signed off"),
        "runbooks.step.withdrawn": _about_step("took back the signature of"),
        "runbooks.exception.requested": _about_check("asked for"),
        "runbooks.exception.approved": _about_check("approved"),
        "runbooks.exception.refused": _about_check("refused"),
        "runbooks.exception.revoked": _about_check("ended"),
    }
)
