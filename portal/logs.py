"""What goes to the log: never a link that lets its bearer in, never a value that an error quotes."""

import logging
import re
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any, override

from core.errors import UseCaseError
from core.ports import Rejected, Unavailable

_LINK = re.compile(r"(/invitations/|/dns/|/accounts/confirm-email/|/accounts/password/reset/key/)[^/\s?]+")

_TELL_NO_VALUE = (UseCaseError, Rejected, Unavailable, AttributeError, ImportError, NameError, NotImplementedError)
"""Errors whose text is ours, or speaks of the program alone. A database's or a ValueError's quotes values."""


class WithoutLinks(logging.Filter):
    """Blanks the secret of a mailed link: Django logs the path of every request that it answers with an error."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record pass, without the secret."""
        said = record.getMessage()
        if _LINK.search(said):
            record.msg, record.args = _LINK.sub(r"\1…", said), ()
        return True


class Lines(logging.Formatter):
    """Writes errors with where they happened, their class and SQLSTATE, and their text only where it holds no value."""

    @override
    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """Write an error with those that led to it."""
        return "".join(_chain(ei[1], frozenset())).rstrip("\n") if ei[1] is not None else ""


def _chain(error: BaseException, seen: frozenset[int]) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _chain(before, seen | {id(error)})
        yield "\nand then:\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__module__}.{type(error).__qualname__}{_words(error)}\n"


def _words(error: BaseException) -> str:
    if isinstance(error, _TELL_NO_VALUE):
        return f": {error}"
    state: Any = getattr(error, "sqlstate", None)
    return f" [{state}]" if state else ""
