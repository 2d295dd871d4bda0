"""The mapping matrix, read from YAML: what becomes of plans, limits, add-ons, terms and roles."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain import declared
from core.domain.declared import TEXT as _TEXT
from core.domain.declared import SpecError
from core.domain.declared import closed as strict

_CODE = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$"}
_COUNT = {"type": "integer", "minimum": 0}
_SAME = {"const": "same"}


def _by_code(value: Any) -> dict[str, Any]:
    return {"type": "object", "propertyNames": _CODE, "additionalProperties": value}


SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Crossing entitlement matrix",
    **strict(
        ["format", "version", "title", "currency", "resources", "plans", "addons", "terms", "roles"],
        format={"const": "crossing-entitlements/1"},
        version={"type": "integer", "minimum": 1},
        title=_TEXT,
        currency={"type": "string", "pattern": "^[A-Z]{3}$"},
        resources=_by_code(strict(["title"], title=_TEXT, used=_CODE, over={"enum": ["block", "warn"]})),
        plans={
            **_by_code(
                strict(
                    ["to", "name", "price", "list_price", "limits"],
                    to=_CODE,
                    name=_TEXT,
                    price={"enum": ["same", "list"]},
                    list_price=_COUNT,
                    because=_TEXT,
                    limits=_by_code(
                        {
                            "oneOf": [
                                strict(
                                    ["from"],
                                    **{"from": _CODE},
                                    times={"type": "integer", "minimum": 1},
                                    at_least=_COUNT,
                                    because=_TEXT,
                                ),
                                strict(["fixed"], fixed=_COUNT, because=_TEXT),
                                strict(["unlimited"], unlimited={"const": True}, because=_TEXT),
                            ]
                        }
                    ),
                )
            ),
            "minProperties": 1,
        },
        addons=_by_code(
            {
                "oneOf": [
                    strict(
                        ["to", "name", "price"],
                        to=_CODE,
                        name=_TEXT,
                        per={"type": "integer", "minimum": 1},
                        price={"oneOf": [_SAME, strict(["each"], each=_COUNT)]},
                        because=_TEXT,
                    ),
                    strict(
                        ["retired"],
                        retired=_TEXT,
                        instead=strict(
                            ["to", "name", "quantity", "each"],
                            to=_CODE,
                            name=_TEXT,
                            quantity={"type": "integer", "minimum": 1},
                            each=_COUNT,
                        ),
                    ),
                ]
            }
        ),
        terms=_by_code(strict(["to", "title"], to=_CODE, title=_TEXT)),
        roles=_by_code(strict(["was", "to", "name"], was=_TEXT, to=_CODE, name=_TEXT, because=_TEXT)),
    ),
}


@dataclass(frozen=True, slots=True)
class Resource:
    """What is limited on the new platform; `used` names what legacy counts of it, `over` what too much does."""

    code: str
    title: str
    used: str = ""
    over: str = "warn"


@dataclass(frozen=True, slots=True)
class LimitRule:
    """How a limit comes about: from one of legacy's, or fixed, or none."""

    source: str = ""
    times: int = 1
    at_least: int = 0
    fixed: int | None = None
    because: str = ""

    def apply(self, limits: Mapping[str, int | None]) -> int | None:
        """Return the new limit; None is without limit, and stays so."""
        if not self.source:
            return self.fixed
        old = limits[self.source]
        return None if old is None else max(old * self.times, self.at_least)


@dataclass(frozen=True, slots=True)
class PlanRule:
    """What a legacy plan becomes; `list_price` is what the new plan costs once no earlier term holds."""

    to: str
    name: str
    keeps_price: bool
    list_price: int
    limits: Mapping[str, LimitRule]
    because: str = ""


@dataclass(frozen=True, slots=True)
class AddOnRule:
    """What a legacy add-on becomes. One that is retired becomes what the customer chooses."""

    to: str = ""
    name: str = ""
    per: int = 1
    each: int | None = None
    """The price of one, a month; None: all of it costs what it cost."""
    fixed_quantity: int = 0
    retired: str = ""
    because: str = ""

    def quantity(self, old: int) -> int:
        """Return how many are needed for what was bought: rounded up, so that nobody gets less."""
        return self.fixed_quantity or -(-old // self.per)


@dataclass(frozen=True, slots=True)
class Named:
    """What a term or a role becomes."""

    to: str
    name: str
    was: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """The whole matrix. `digest` is the SHA-256 of the file."""

    version: int
    title: str
    currency: str
    digest: str
    resources: Mapping[str, Resource]
    plans: Mapping[str, PlanRule]
    addons: Mapping[str, AddOnRule] = field(default_factory=dict)
    terms: Mapping[str, Named] = field(default_factory=dict)
    roles: Mapping[str, Named] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Name the matrix exactly: version and the beginning of its digest."""
        return f"matrix@{self.version}+{self.digest[:12]}"


def load(text: str, *, file: str = "") -> Matrix:
    """Read the matrix from YAML text; raises SpecError naming file and line."""
    try:
        document, lines = declared.read(text, schema=SCHEMA)
        return _matrix(document, lines, hashlib.sha256(text.encode()).hexdigest())
    except SpecError as error:
        raise SpecError(error.message, line=error.line, file=file) from error


def _matrix(document: Mapping[str, Any], lines: declared.Lines, digest: str) -> Matrix:
    resources = {code: Resource(code=code, **item) for code, item in document["resources"].items()}
    for code, item in document["plans"].items():
        for name in item["limits"]:
            if name not in resources:
                raise SpecError(
                    f"plans.{code}.limits: no resource {name!r} is declared",
                    line=lines.of("plans", code, "limits", name),
                )
        for name in resources:
            if name not in item["limits"]:
                raise SpecError(f"plans.{code}: says nothing of {name!r}", line=lines.of("plans", code, "limits"))
    for code, resource in resources.items():
        if ("used" in document["resources"][code]) != ("over" in document["resources"][code]):
            raise SpecError(
                f"resources.{code}: `used` and `over` belong together", line=lines.of("resources", resource.code)
            )
    return Matrix(
        version=document["version"],
        title=document["title"],
        currency=document["currency"],
        digest=digest,
        resources=resources,
        plans={code: _plan(item) for code, item in document["plans"].items()},
        addons={code: _addon(item) for code, item in document["addons"].items()},
        terms={code: Named(item["to"], item["title"]) for code, item in document["terms"].items()},
        roles={code: Named(**item) for code, item in document["roles"].items()},
    )


def _plan(item: Mapping[str, Any]) -> PlanRule:
    return PlanRule(
        to=item["to"],
        name=item["name"],
        keeps_price=item["price"] == "same",
        list_price=item["list_price"],
        because=item.get("because", ""),
        limits={
            name: LimitRule(
                source=rule.get("from", ""),
                times=rule.get("times", 1),
                at_least=rule.get("at_least", 0),
                fixed=rule.get("fixed"),
                because=rule.get("because", ""),
            )
            for name, rule in item["limits"].items()
        },
    )


def _addon(item: Mapping[str, Any]) -> AddOnRule:
    if "retired" not in item:
        price = item["price"]
        return AddOnRule(
            to=item["to"],
            name=item["name"],
            per=item.get("per", 1),
            each=None if price == "same" else price["each"],
            because=item.get("because", ""),
        )
    instead = item.get("instead")
    if not instead:
        return AddOnRule(retired=item["retired"])
    return AddOnRule(
        to=instead["to"],
        name=instead["name"],
        each=instead["each"],
        fixed_quantity=instead["quantity"],
        retired=item["retired"],
    )
