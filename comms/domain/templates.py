"""What a message is: whom it is for, what it is there for, and its text.

A text changes together with its `version`; what was sent keeps the version it was sent in.
"""

from dataclasses import dataclass
from enum import StrEnum

from comms.domain.letters import require_safe


class Audience(StrEnum):
    """Whom a message is for; the people are looked up when it leaves."""

    SPONSORS = "sponsors"
    ADMINS = "admins"
    END_USERS = "end_users"
    DECIDERS = "deciders"
    SIGNERS = "signers"
    ASKER = "asker"
    LADDER = "ladder"
    LEAVERS = "leavers"
    """Who is no member any more, and is told so."""

    @property
    def label(self) -> str:
        """The audience's name for people."""
        return {
            "sponsors": "Owners (executive sponsors)",
            "admins": "Admins",
            "end_users": "Everybody else",
            "deciders": "Owners and admins",
            "signers": "Who signs",
            "asker": "Who asked",
            "ladder": "Our people on call",
            "leavers": "Who lost their access",
        }[self.value]


class Kind(StrEnum):
    """What a message is there for."""

    ANNOUNCE = "announce"
    REMINDER = "reminder"
    CUTOVER = "cutover"
    AFTER = "after"
    SIGNATURE = "signature"
    SUPPORT = "support"
    SIGN_IN = "sign_in"
    ACCESS = "access"

    @property
    def label(self) -> str:
        """The kind's name for people."""
        return {"after": "Afterwards", "signature": "Go/no-go", "sign_in": "Sign-in"}.get(
            self.value, self.value.capitalize()
        )


@dataclass(frozen=True, slots=True)
class Template:
    """One message. `page` is where `{link}` leads, inside the tenant; an essential one reaches everybody."""

    key: str
    version: int
    kind: Kind
    audience: Audience
    essential: bool
    page: str
    subject: str
    body: str

    def __post_init__(self) -> None:
        require_safe(self.subject)
        require_safe(self.body)


def text(*paragraphs: str) -> str:
    """Join paragraphs to a text."""
    return "\n\n".join(paragraphs)


ASK = "Questions? {contact}"
