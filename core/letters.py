"""A mail as the house hands it to whoever delivers it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one address. `id` is the same at every attempt, so that a duplicate can be recognised."""

    id: str
    to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str] = field(default_factory=dict)
