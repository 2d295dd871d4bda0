"""What new metadata would change, line by line, for whoever is to say yes to it."""

from collections.abc import Iterable
from datetime import datetime

from accounts.domain.certificates import Held, Reason
from core.saml import ProviderMetadata, SigningCertificate

type Line = tuple[str, str]
"""`old`, `new` or `same`, and a text."""


def lines(now: ProviderMetadata, then: ProviderMetadata, *, held: Iterable[Held], at: datetime) -> list[Line]:
    """Say what becomes of provider, address and each certificate; `now` has those that are trusted."""
    found: list[Line] = []
    for label, before, after in (
        ("Entity ID", now.entity_id, then.entity_id),
        ("Sign-in address", now.sso_url, then.sso_url),
    ):
        if before == after:
            found.append(("same", f"{label}: {after}"))
        else:
            found += [("old", f"{label}: {before}"), ("new", f"{label}: {after}")]
    is_another = now.entity_id != then.entity_id
    trusted, listed = set(now.fingerprints), set(then.fingerprints)
    refused = {each.fingerprint for each in held if each.retired is Reason.PERSON and not is_another}
    for each in then.certificates:
        if each.fingerprint in refused:
            found.append(("same", f"{_told(each, at=at)}: you retired it, and it stays so"))
        else:
            is_new = each.fingerprint not in trusted
            words = "new, trusted once you say yes" if is_new else "trusted"
            found.append(("new" if is_new else "same", f"{_told(each, at=at)}: {words}"))
    for each in now.certificates:
        if each.fingerprint not in listed:
            if is_another:
                found.append(("old", f"{_told(each, at=at)}: of the provider before, trusted no more"))
            else:
                found.append(("same", f"{_told(each, at=at)}: not listed any more, trusted until it is retired"))
    return found


def is_change(found: Iterable[Line]) -> bool:
    """Say whether anything would be otherwise."""
    return any(kind != "same" for kind, _ in found)


def _told(certificate: SigningCertificate, *, at: datetime) -> str:
    ends = certificate.not_after
    ended = "ended" if ends <= at else "ends"
    name = certificate.subject or "Certificate"
    return f"{name} ({certificate.fingerprint[:16]}…), {ended} on {ends.day} {ends:%B %Y}"
