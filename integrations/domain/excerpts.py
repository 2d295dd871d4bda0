"""What is kept of a receiver's answer: enough to understand it, nothing that opens a door."""

import re

LENGTH = 400
HIDDEN = "[hidden]"
_HIDE = (
    (re.compile(r"whsec_[A-Za-z0-9+/=_-]+"), HIDDEN),
    (re.compile(r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9+/=._~-]+"), HIDDEN),
    (
        re.compile(
            r"(?i)(\"?\b(?:password|passwd|secret|token|api[_-]?key|authorization|cookie|session)\b\"?\s*[:=]\s*)"
            r"\"?[^\s\",;}&]+\"?"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), HIDDEN),
    (re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"), HIDDEN),
    (re.compile(r"\b[A-Za-z0-9+/_-]{32,}={0,2}"), HIDDEN),
)


def excerpt(body: bytes) -> str:
    """Return the beginning of an answer as text, without control characters, secrets and addresses of people."""
    text = body[: 4 * LENGTH].decode("utf-8", "replace")
    text = "".join(character if character.isprintable() else " " for character in text)
    for pattern, instead in _HIDE:
        text = pattern.sub(instead, text)
    text = " ".join(text.split())
    return text if len(text) <= LENGTH else text[: LENGTH - 1] + "…"
