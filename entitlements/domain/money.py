"""Money: whole smallest units of one currency, never a float."""

from dataclasses import dataclass
from decimal import Decimal

_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "BHD": 3, "KWD": 3, "JOD": 3, "TND": 3}
"""Decimals of the currencies that do not have two (ISO 4217)."""
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the smallest units of a currency; sums of two currencies are refused."""

    minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    @property
    def a_year(self) -> "Money":
        """Twelve times a month's amount."""
        return Money(self.minor * MONTHS, self.currency)

    @property
    def amount(self) -> Decimal:
        """The amount in whole units, exactly."""
        return Decimal(self.minor).scaleb(-_DIGITS.get(self.currency, 2))

    @property
    def signed(self) -> str:
        """The amount with its sign, as a difference is written."""
        return f"{'+' if self.minor > 0 else ''}{self}"

    def __str__(self) -> str:
        sign = "−" if self.minor < 0 else ""
        return f"{sign}{self.currency} {abs(self.amount):,f}"

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} have no sum.")
        return other.minor
