"""Documents as PDF (WeasyPrint), from our own HTML and style sheet; nothing is fetched from anywhere."""

import logging
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from django.contrib.staticfiles import finders
from django.core.cache import cache as shared

from core.errors import UseCaseError

_KEPT_SECONDS = 600
_STATICS = "file:///static/"
"""Where a document finds our static files; no such folder needs to exist."""


class UnableToPrint(UseCaseError):
    """PDFs cannot be made on this server."""

    status = 503


def is_possible() -> bool:
    """Say whether the libraries that WeasyPrint draws with (Pango, HarfBuzz) are on this machine."""
    return _library() is not None


def render(html: str, *, digest: str) -> bytes:
    """Return a document as PDF. It must be bounded: a page of a hundred lines takes about a second.

    `digest` names its content: asking for the same content again within ten minutes costs nothing. Raises
    `UnableToPrint` where the machine lacks the libraries.
    """
    library = _library()
    if library is None:
        raise UnableToPrint(
            "This server cannot make PDFs: the libraries for it are not installed.",
            fix="Print the page from your browser instead; it has a style for paper.",
        )
    key = f"pdf:{digest}"
    if (kept := shared.get(key)) is not None:
        return bytes(kept)
    made = _draw(library, html)
    shared.set(key, made, _KEPT_SECONDS)
    return made


def _draw(library: Any, html: str) -> bytes:
    class Statics(library.urls.URLFetcher):  # type: ignore[misc]  # the package has no types
        """Serves our static files, and nothing else of this machine or of any other."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            if not url.startswith(_STATICS):
                raise ValueError(f"A document asked for {url}, which is no static file of ours.")
            return super().fetch(_static(unquote(url.removeprefix(_STATICS))).as_uri(), headers)

    fonts, fetcher = library.text.fonts.FontConfiguration(), Statics(allowed_protocols=("file",))
    text, base = _static("crossing/pdf.css").read_text(), f"{_STATICS}crossing/"
    style = library.CSS(string=text, base_url=base, font_config=fonts, url_fetcher=fetcher)
    document = library.HTML(string=html, base_url=_STATICS, url_fetcher=fetcher)
    made: bytes = document.write_pdf(stylesheets=[style], font_config=fonts)
    return made


def _static(name: str) -> Path:
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(name)
    return Path(found)


@cache
def _library() -> Any | None:
    try:
        import weasyprint
        import weasyprint.text.fonts
        import weasyprint.urls
    except OSError:  # it looks for Pango when it is imported
        return None
    logging.getLogger("weasyprint.progress").setLevel(logging.WARNING)  # it tells of each step of each document
    return weasyprint
