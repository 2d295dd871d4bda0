"""What the log says of a directory's calls: which attributes they name, never what stands in them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from scim2_models import Path

from accounts.domain.provisioning.resources import MODELS

_KNOWN = {
    str(path).rpartition(":")[2].lower(): str(path).rpartition(":")[2]
    for model in MODELS.values()
    for path in Path.__class_getitem__(model).iter_paths()  # type: ignore[attr-defined]  # bound at run time
}
_QUOTED = re.compile(r"“[^”]*(?:”|$)|'[^']*'|\"[^\"]*(?:\"|$)")
_LONGEST = 2_000
"""Characters of a refusal that are looked at; what a quotation that does not end in them holds is left out too."""
_WORD = re.compile(r"(?:urn:[A-Za-z0-9.:]+:)?([A-Za-z]+(?:\.[A-Za-z$]+)?)")
_FILTERED = re.compile(r"\[[^\]]*\]")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


def attributes(names: Iterable[str]) -> list[str]:
    """Return the attributes that are named, as the schema spells them; others count as one “more”."""
    found = dict.fromkeys(_known(name) or "more" for name in names)
    return [name for name in found if name != "more"] + ["more"] * ("more" in found)


def of_body(body: Any) -> list[str]:
    """Return the attributes that a body names: a resource's, or those of a PATCH's operations."""
    if not isinstance(body, Mapping):
        return []
    operations = next((value for name, value in body.items() if name.lower() == "operations"), None)
    names = _operated(operations) if isinstance(operations, list) else iter(body)
    return attributes(name for name in names if name.lower() not in ("schemas", "meta"))


def of_filter(text: str) -> list[str]:
    """Return the attributes that a filter looks at."""
    words = _WORD.findall(_TEXT.sub('""', text)[:2000])
    return list(dict.fromkeys(_KNOWN[word.lower()] for word in words if word.lower() in _KNOWN))


def impersonal(text: str) -> str:
    """Return a refusal without what it quotes, unless that is the name of an attribute."""
    return _QUOTED.sub(lambda found: found[0] if _known(found[0][1:-1]) else "“…”", text[:_LONGEST])


def _operated(operations: Iterable[Any]) -> Iterator[str]:
    for operation in operations:
        if not isinstance(operation, Mapping):
            continue
        found = {name.lower(): value for name, value in operation.items()}
        path, value = found.get("path"), found.get("value")
        if isinstance(path, str) and path:
            yield _FILTERED.sub("", path)
        elif isinstance(value, Mapping):
            yield from (_FILTERED.sub("", name) for name in value)


def _known(name: str) -> str | None:
    return _KNOWN.get(name.rpartition(":")[2].lower()) if name else None
