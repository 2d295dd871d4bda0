"""What a test found, as a text that may be handed to anybody: nothing in it speaks of a person."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from accounts.domain.verdicts import PERSONAL, Check, Verdict
from core.saml import ServiceProvider

_WORDS = {Verdict.PASS: "passed", Verdict.WARN: "review", Verdict.FAIL: "FAILED"}
_ADDRESS = re.compile(r"[^\s@,;:<>“”()]*@[^\s@,;:<>“”()]+")
"""Whatever might be an address, wherever a stranger's words stand."""


def shareable(check: Check) -> Check:
    """Return a check without what may speak of a person."""
    expected, got = ("", "") if check.code in PERSONAL else (check.expected, check.got)
    return replace(check, expected=_hidden(expected), got=_hidden(got), fix=_hidden(check.fix))


def report(checks: Iterable[Check], *, answered_at: datetime, sp: ServiceProvider, entity_id: str) -> str:
    """Write down every check, what failed first; what may speak of a person is left out."""
    listed = sorted(map(shareable, checks), key=lambda check: check.verdict is not Verdict.FAIL)
    failed = sum(check.verdict is Verdict.FAIL for check in listed)
    lines = [
        "Test sign-in at Crossing",
        f"Answered {answered_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        f"Would have been {'refused' if failed else 'accepted'}: {failed} of {len(listed)} checks failed",
        "",
        f"Our entity ID:   {sp.entity_id}",
        f"Our ACS address: {sp.acs_url}",
        f"Your entity ID:  {entity_id or 'removed since'}",
        "",
    ]
    for check in listed:
        lines.append(f"{_WORDS[check.verdict]}  {check.title}")
        told = (("expected", check.expected), ("got", check.got), ("do", check.fix))
        lines += [f"        {name}: {text}" for name, text in told if text]
    return "\n".join([*lines, ""])


def _hidden(text: str) -> str:
    return _ADDRESS.sub("(an address)", text)
