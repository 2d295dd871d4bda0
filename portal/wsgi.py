"""WSGI entry point."""

import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer a request, its address read as UTF-8 whatever encoding it names for its body.

    Django decodes the query by that encoding while it builds the request, before any middleware, and fails on one that
    is none of text (`hex`). Under a name that nobody knows it keeps to UTF-8, and `UnderstoodForms` refuses a form.
    """
    try:
        kind, parameters = parse_header_parameters(environ.get("CONTENT_TYPE", ""))
    except ValueError:  # Django takes such a header for none
        return _django(environ, start_response)
    if parameters.get("charset", "utf-8").strip().lower() not in ("utf-8", "utf8"):
        environ["CONTENT_TYPE"] = f"{kind}; charset=x-unknown"
    return _django(environ, start_response)
