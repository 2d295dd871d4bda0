"""The abilities of the vendor's product, read from YAML: what each needs, and who could on the legacy platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain import declared
from core.domain.declared import TEXT as _TEXT
from core.domain.declared import SpecError
from core.domain.declared import closed as strict

_CODE = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$"}
_CODES = {"type": "array", "items": _CODE, "minItems": 1, "uniqueItems": True}


def _by_code(value: Any) -> dict[str, Any]:
    return {"type": "object", "propertyNames": _CODE, "additionalProperties": value}


SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Crossing abilities of the product",
    **strict(
        ["format", "version", "flags", "features", "policies", "abilities"],
        format={"const": "crossing-abilities/1"},
        version={"type": "integer", "minimum": 1},
        flags=_by_code(strict(["title", "days"], title=_TEXT, days={"type": "integer", "minimum": 1, "maximum": 180})),
        features=_by_code(strict(["title", "plans"], title=_TEXT, plans={**_CODES, "items": _TEXT})),
        policies=_by_code(strict(["title", "who"], title=_TEXT, who=_TEXT)),
        abilities=_by_code(
            strict(
                ["title", "roles", "legacy"],
                title=_TEXT,
                words=_TEXT,
                flag=_CODE,
                feature=_CODE,
                roles=_CODES,
                policy=_CODE,
                second_factor={"type": "boolean"},
                legacy={"oneOf": [{"const": "none"}, strict(["plans", "roles"], plans=_CODES, roles=_CODES)]},
            )
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Flag:
    """A feature that the vendor switches on for one customer, for at most so many days at a time."""

    code: str
    title: str
    days: int


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that plans include; `plans` names them as customers know them, the smallest first."""

    code: str
    title: str
    plans: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule that an organisation sets for itself, and who can change it."""

    code: str
    title: str
    who: str


@dataclass(frozen=True, slots=True)
class Ability:
    """Something people do in the product, and what it needs. `legacy_plans` empty: the legacy platform could not."""

    code: str
    title: str
    roles: tuple[str, ...]
    """The roles of the new platform that include it, the narrowest first."""
    words: str = ""
    flag: Flag | None = None
    feature: Feature | None = None
    policy: Policy | None = None
    second_factor: bool = False
    legacy_plans: tuple[str, ...] = ()
    legacy_roles: tuple[str, ...] = ()


def load(text: str, *, file: str = "") -> Mapping[str, Ability]:
    """Read the abilities from YAML text, in their order; raises SpecError naming file and line."""
    try:
        document, lines = declared.read(text, schema=SCHEMA)
        parts: dict[str, Mapping[str, Any]] = {
            "flag": {code: Flag(code, item["title"], item["days"]) for code, item in document["flags"].items()},
            "feature": {
                code: Feature(code, item["title"], tuple(item["plans"])) for code, item in document["features"].items()
            },
            "policy": {code: Policy(code, item["title"], item["who"]) for code, item in document["policies"].items()},
        }
        return {code: _ability(code, item, parts, lines) for code, item in document["abilities"].items()}
    except SpecError as error:
        raise SpecError(error.message, line=error.line, file=file) from error


def _ability(
    code: str, item: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]], lines: declared.Lines
) -> Ability:
    found: dict[str, Any] = {}
    for part, known in parts.items():
        name = item.get(part)
        if name is not None and name not in known:
            raise SpecError(f"abilities.{code}: no {part} {name!r} is declared", line=lines.of("abilities", code, part))
        found[part] = known.get(name) if name else None
    legacy = item["legacy"] if item["legacy"] != "none" else {"plans": (), "roles": ()}
    return Ability(
        code=code,
        title=item["title"],
        roles=tuple(item["roles"]),
        words=item.get("words", ""),
        second_factor=item.get("second_factor", False),
        legacy_plans=tuple(legacy["plans"]),
        legacy_roles=tuple(legacy["roles"]),
        **found,
    )
