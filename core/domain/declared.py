"""Documents that an installation declares in YAML: read, checked by JSON Schema, with errors that name the line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from yaml.composer import ComposerError
from yaml.reader import ReaderError

NAME = {
    "type": "string",
    "pattern": "^[a-z][a-z0-9]*(_[a-z0-9]+)*$",
    "description": "a name of small letters, digits and single _",
}
"""Where a schema describes what it wants, its description says what was expected."""

TEXT = {"type": "string", "minLength": 1}


class SpecError(Exception):
    """A declared document cannot be used; names file, line and what is wrong."""

    def __init__(
        self, message: str, *, line: int | None = None, file: str = "", others: Sequence[tuple[int, str]] = ()
    ) -> None:
        self.message, self.line, self.file = message, line, file
        self.others = tuple(others)
        """Line and message of every other problem that is known."""
        place = f"{file or 'spec'}:{line}: " if line else f"{file}: " if file else ""
        super().__init__(f"{place}{message}")


def closed(required: Sequence[str], /, **properties: Any) -> dict[str, Any]:
    """Return the schema of an object that has these properties and no others."""
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


_DEEPEST = 40
"""Levels of a document; one that goes deeper was made to break whoever reads it."""
_LONGEST = 1_000
"""Characters of what is wrong: it may quote a whole value."""


class _Loader(yaml.SafeLoader):
    """YAML without its dates: `2027-02-15` is text, as in JSON, for which schemas are made.

    And without aliases, of which a few lines make a document that never ends; and not deeper than a person writes.
    """

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose the next node; raises ComposerError for an alias and for what is nested too deeply."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it out
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise ComposerError(problem="an alias (*) is not taken, write it out", problem_mark=mark)
        if self.depth >= _DEEPEST:
            raise ComposerError(problem=f"more than {_DEEPEST} levels", problem_mark=mark)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class Lines:
    """Where each value of a YAML document stands."""

    def __init__(self, node: yaml.Node | None) -> None:
        self._lines: dict[tuple[str | int, ...], int] = {}
        if node is not None:
            for path, line in _walk(node, ()):
                self._lines.setdefault(path, line)

    def of(self, *path: str | int) -> int:
        """Return the line (from 1) of a value, or of the nearest thing that holds it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def read(text: str, *, schema: Mapping[str, Any]) -> tuple[dict[str, Any], Lines]:
    """Read and check one document; raises SpecError with the line of the first problem in the text."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        lines = Lines(node)
        document: Any = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise SpecError(f"not YAML: {error.problem}", line=mark.line + 1 if mark else None) from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SpecError("not YAML: a character that no text holds", line=line) from error
    except ValueError as error:  # a number of thousands of digits, for instance
        raise SpecError("not YAML: a value that is none of its kind") from error
    problems = sorted(_problem(error, lines) for error in Draft202012Validator(schema).iter_errors(document))
    if problems:
        told = [(line, f"{path + ': ' if path else ''}{message}") for _, line, path, message in problems]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise SpecError(told[0][1] + more, line=told[0][0], others=told[1:])
    return document, lines


def _walk(node: yaml.Node, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                raise SpecError("a name must be text: write it in quotes", line=key.start_mark.line + 1)
            if key.value in seen:
                raise SpecError(f"{key.value!r} stands twice", line=key.start_mark.line + 1)
            seen.add(key.value)
            yield (*path, key.value), key.start_mark.line + 1
            yield from _walk(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(value, (*path, index))


def _problem(error: ValidationError, lines: Lines) -> tuple[bool, int, str, str]:
    """Return what sorts and says an error; a missing name comes last, for it is often a misspelt one."""
    path = list(error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        path += [name for name in error.instance if name not in known][:1]
    wanted = error.schema.get("description") if isinstance(error.schema, dict) else None
    message = f"{error.instance!r} is not {wanted}" if wanted else error.message
    message = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"
    return error.validator == "required", lines.of(*path), ".".join(map(str, path)), message
