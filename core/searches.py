"""What staff search their lists for: kept sealed in their session, under a reference that may stand in an address.

An address is read in access logs, in the browser's history and by whatever a page leads to; a name or an e-mail
address in it would be a personal datum in all of them (`docs/adr/0047-what-staff-search-for.md`).
"""

import secrets

from cryptography.fernet import InvalidToken
from django.http import HttpRequest

from core.sealing import seal, unseal

LONGEST = 200
_KEPT = 20
_PLACE = "searches"


def keep(request: HttpRequest, term: str) -> str:
    """Keep what was typed and return the reference to it; "" for nothing. A session keeps its last twenty."""
    typed = term.replace("\0", "").strip()[:LONGEST]
    if not typed:
        return ""
    reference = secrets.token_urlsafe(9)
    kept = [*request.session.get(_PLACE, {}).items(), (reference, seal(typed))]
    request.session[_PLACE] = dict(kept[-_KEPT:])
    return reference


def recall(request: HttpRequest, reference: str) -> str | None:
    """Return what was typed; None for what is no reference of this session, or of one that it keeps no longer."""
    sealed = request.session.get(_PLACE, {}).get(reference)
    if sealed is None:
        return None
    try:
        return unseal(sealed)
    except InvalidToken:  # the keys were changed since
        return None
