"""What a test found, as a text that may be handed to anybody: nothing in it speaks of a person."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from accounts.domain.verdicts import PERSONAL, Check, Verdict
from core.saml import ServiceProvider

_WORDS = {Verdict.PASS: "passed", Verdict.WARN: "review", Verdict.FAIL: "FAILED"}
_ADDRESS = re.compile(r"[^\s@,;:<>“”()]*@[^\s@,;:<>“”()]+")
"""Whatever might be an address, wherever a stranger's words stand."""


def report(checks: Iterable[Check], *, answered_at: datetime, sp: ServiceProvider, entity_id: str) -> str:
    """Write down every check, what failed first; what may speak of a person is left out."""
    listed = sorted(checks, key=lambda check: check.verdict is not Verdict.FAIL)
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
        seen = () if check.code in PERSONAL else (("expected", check.expected), ("got", check.got))
        told = (*seen, ("do", check.fix))
        lines += [f"        {name}: {_ADDRESS.sub('(an address)', text)}" for name, text in told if text]
    return "\n".join([*lines, ""])
