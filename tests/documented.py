"""The commands of a page in `docs/`, played against the API: `crossing METHOD ADDRESS [BODY]`, and ids kept for later.

What stands there is shell, of which this understands as much as the pages use: comments, `NAME=$(… | jq --raw-output
.id)`, `$NAME`, and a body that is read from a file by jq.
"""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.http import HttpResponse

from tests import api

DOCS = Path(__file__).parents[1] / "docs"
KEPT = re.compile(r"(?P<name>[A-Z]+)=\$\((?P<command>crossing .*) \| jq --raw-output (?P<path>\.\S+)\)")
FROM_FILE = re.compile(r"\"\$\(jq --null-input --rawfile (?P<name>\w+) (?P<file>\S+) '\{\$(?P=name)\}'\)\"")


def commands(page: str) -> list[str]:
    """Return the commands of a page, in the order in which they stand."""
    blocks: list[str] = re.findall(r"```sh\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("crossing ") or KEPT.match(line)]


@dataclass
class Shell:
    """Somebody who types the commands, with a token, and files at hand."""

    secret: str
    files: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[str], None] = lambda command: None
    """Called with each command before it is sent: the world may have to move first."""
    kept: dict[str, str] = field(default_factory=dict)

    def type(self, line: str) -> HttpResponse:
        """Send what a line says, and keep what it keeps."""
        self.before(line)
        named = KEPT.match(line)
        answer = self._send(named["command"] if named else line)
        if named:
            self.kept[named["name"]] = _picked(json.loads(answer.content), named["path"])
        return answer

    def _send(self, line: str) -> HttpResponse:
        file = FROM_FILE.search(line)
        words = shlex.split(FROM_FILE.sub("", line), comments=True)
        method, address, *body = [self._filled(word) for word in words[1:]]
        told = json.dumps({file["name"]: self.files[file["file"]]}) if file else body[0] if body else ""
        return api.call(method, f"/api/v1/{address}", secret=self.secret, raw=told.encode())

    def _filled(self, word: str) -> str:
        return re.sub(r"\$([A-Z]+)", lambda found: self.kept[found[1]], word)


def _picked(told: Any, path: str) -> str:
    for name, number in re.findall(r"\.(\w+)(?:\[(\d+)\])?", path):
        told = told[name][int(number)] if number else told[name]
    return str(told)
