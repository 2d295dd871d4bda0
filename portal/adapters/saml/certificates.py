"""Certificates as people paste them and as messages carry them."""

import base64
import binascii
import re
from datetime import UTC

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from core.ports import Rejected
from core.saml import MOST_METADATA, SigningCertificate, bounded

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


def pasted(text: str) -> SigningCertificate:
    """Read a certificate that a person pasted, with its armour or without; raises Rejected."""
    if len(text) > MOST_METADATA:
        raise Rejected("This is larger than any certificate.")
    if "PRIVATE KEY-----" in text:
        raise Rejected("This is a private key, which must never leave your provider. Paste the certificate.")
    if text.lstrip().startswith("<"):
        raise Rejected("This is XML: give metadata as metadata, not as a certificate.")
    found = _PEM.findall(text)
    if len(found) > 1:
        raise Rejected("This holds several certificates. Paste the one that signs, alone.")
    try:
        return read(found[0] if found else text)
    except Rejected as error:
        raise Rejected("This is no certificate that can be read (X.509, PEM or base64).") from error


def read(text: str) -> SigningCertificate:
    """Read the base64 of a certificate; raises Rejected."""
    try:
        der = base64.b64decode("".join(text.split()), validate=True)
        known = x509.load_der_x509_certificate(der)
        subject = known.subject.rfc4514_string()
    except (binascii.Error, ValueError, x509.InvalidVersion) as error:
        raise Rejected("A signing certificate in the metadata cannot be read.") from error
    return SigningCertificate(
        der=base64.b64encode(der).decode(),
        fingerprint=known.fingerprint(hashes.SHA256()).hex().upper(),
        subject=subject[:200],
        not_before=bounded(known.not_valid_before_utc.astimezone(UTC)),
        not_after=bounded(known.not_valid_after_utc.astimezone(UTC)),
    )


def fingerprint_of(text: str) -> str:
    """Return the fingerprint of a certificate in a message, or nothing if it is none."""
    try:
        return read(text).fingerprint
    except Rejected:
        return ""


def armoured(certificate: SigningCertificate) -> str:
    """Return a certificate as PEM."""
    lines = [certificate.der[start : start + 64] for start in range(0, len(certificate.der), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
