"""Whether a message is signed by the provider, and well: what every other check rests on."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta

from accounts.domain.verdicts import Check, Code, Verdict, checked, listed
from core.saml import Signature, SigningCertificate

WARN_BEFORE_EXPIRY = timedelta(days=30)

METHODS = frozenset(
    f"http://www.w3.org/2001/04/xmldsig-more#{name}"
    for name in ("rsa-sha256", "rsa-sha384", "rsa-sha512", "ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512")
)
DIGESTS = frozenset(
    {
        "http://www.w3.org/2001/04/xmlenc#sha256",
        "http://www.w3.org/2001/04/xmldsig-more#sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    }
)
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
TRANSFORMS = frozenset({EXCLUSIVE, ENVELOPED})


def checks(
    *, inner: Signature | None, outer: Signature | None, certificates: Iterable[SigningCertificate], at: datetime
) -> Iterator[Check]:
    """Judge the assertion's signature, which must be there, and the response's (`outer`), which may be.

    Only the assertion's covers what the person is signed in by, so the response's alone does not do.
    """
    known = {each.fingerprint: each for each in certificates}
    got, fix = _signed(inner, outer, known)
    expected = "signed with " + listed(_short(fingerprint) for fingerprint in known)
    yield checked(Code.SIGNATURE, holds=not fix, expected=expected, got=got, fix=fix)
    yield _algorithms([each for each in (inner, outer) if each])
    newest = max(known.values(), key=lambda each: each.not_after, default=None)
    if certificate := known.get(inner.verified_by if inner else "", newest):
        yield _certificate(certificate, at=at)


def _signed(inner: Signature | None, outer: Signature | None, known: dict[str, SigningCertificate]) -> tuple[str, str]:
    """Say what was signed by whom, and what to do unless that is right."""
    if inner is None:
        got = "only the response around it is signed" if outer else "no signature"
        return got, "Turn on “Sign assertion” at your provider."
    for signature in (inner, outer):
        if signature and signature.problem:
            return f"a signature to distrust: {signature.problem}", "Do not trust this answer. Try again."
        if signature and signature.verified_by not in known:
            return _unproven(signature, known, what="the assertion" if signature is inner else "the response")
    return f"signed with {_short(inner.verified_by)}", ""


def _unproven(signature: Signature, known: dict[str, SigningCertificate], *, what: str) -> tuple[str, str]:
    claimed = _short(signature.claimed) if signature.claimed else "a key it does not name"
    if signature.claimed in known:
        return (
            f"a signature with {claimed} that does not hold: {what} was changed on its way",
            "Sign in again. If it stays, something between your provider and us rewrites its answers.",
        )
    return (
        f"signed with {claimed}, which is not in the metadata you gave us",
        "Your provider signs with another certificate. Upload its current metadata under “Single sign-on”.",
    )


def vouched(signature: Signature | None, *, by: Collection[str]) -> bool:
    """Say whether metadata are signed, and well, with one of these certificates, by fingerprint."""
    return signature is not None and not signature.problem and signature.verified_by in by and _is_good(signature)


def _is_good(signature: Signature) -> bool:
    return (
        signature.method in METHODS
        and signature.digest in DIGESTS
        and signature.canonicalisation == EXCLUSIVE
        and set(signature.transforms) <= TRANSFORMS
        and ENVELOPED in signature.transforms
    )


def _algorithms(signatures: list[Signature]) -> Check:
    good = all(map(_is_good, signatures))
    names = [name.rpartition("#")[2] or "none" for each in signatures for name in (each.method, each.digest)]
    names += [f"the transform {name}" for each in signatures for name in each.transforms if name not in TRANSFORMS]
    return checked(
        Code.ALGORITHMS,
        holds=good and bool(signatures),
        expected="RSA or ECDSA with SHA-256, SHA-384 or SHA-512, exclusive canonicalisation",
        got=listed(dict.fromkeys(names)),
        fix="Choose SHA-256 as the signature algorithm at your provider." if signatures else "Turn signing on.",
    )


def _certificate(certificate: SigningCertificate, *, at: datetime) -> Check:
    """Look at the dates of the certificate that signed, or else of the newest we know.

    The metadata say which key to trust, its dates do not: an old certificate is a warning, as elsewhere.
    """
    expected = f"valid for another {WARN_BEFORE_EXPIRY.days} days"
    if certificate.not_before <= at < certificate.not_after - WARN_BEFORE_EXPIRY:
        return Check(Code.CERTIFICATE, Verdict.PASS, expected, f"valid until {certificate.not_after:%d %B %Y}")
    got = f"valid from {certificate.not_before:%d %B %Y} until {certificate.not_after:%d %B %Y}"
    fix = "Renew it at your provider in good time, and upload the metadata with both certificates before you switch."
    return Check(Code.CERTIFICATE, Verdict.WARN, expected, got, fix)


def _short(fingerprint: str) -> str:
    """Return a fingerprint as people compare it: its first eight bytes."""
    return ":".join(fingerprint[start : start + 2] for start in range(0, 16, 2)) + "…"
