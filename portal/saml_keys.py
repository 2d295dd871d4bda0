"""What SAML is signed with: an RSA key and its certificate, as `SAML_KEYS` carries them.

`python -m portal.saml_keys crossing.example` draws one for a portal of that name and prints it as the setting has it.
Stands before Django does: the settings are judged by it.
"""

import base64
import binascii
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

BITS, LEAST_BITS = 3072, 2048
LASTS = timedelta(days=3652)
"""Customers enter the certificate at their providers, where changing it is their work: ten years, as is usual."""
_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----\n?", re.DOTALL)


class NotAKeyError(ValueError):
    """The text is no key with its certificate; the message says why, and nothing of the key."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key with its certificate, both as PEM."""

    key: str
    certificate: str

    @property
    def der(self) -> str:
        """The certificate as metadata and messages carry it."""
        return "".join(line for line in self.certificate.splitlines() if not line.startswith("-----"))

    @property
    def ends_at(self) -> datetime:
        """When the certificate ends."""
        return x509.load_pem_x509_certificate(self.certificate.encode()).not_valid_after_utc


def new_signer(name: str, *, begins: datetime, ends: datetime, bits: int = LEAST_BITS) -> Signer:
    """Draw a key and certify it by itself, as is usual in SAML: each side is told of the other's certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return Signer(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
    )


def packed(signer: Signer) -> str:
    """Write a key and its certificate as one word of the setting: base64 of both PEM blocks."""
    return base64.b64encode(f"{signer.key}{signer.certificate}".encode()).decode()


def read(word: str) -> Signer:
    """Read one word of the setting; raises NotAKeyError."""
    try:
        text = base64.b64decode("".join(word.split()), validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise NotAKeyError("it is not the base64 of a PEM file") from error
    blocks: dict[bool, list[str]] = {True: [], False: []}
    for found in _BLOCK.finditer(text):
        blocks[found[1].endswith("PRIVATE KEY")].append(found[0])
    if [len(blocks[True]), len(blocks[False])] != [1, 1]:
        raise NotAKeyError("it must hold one private key and its certificate")
    signer = Signer(blocks[True][0], blocks[False][0])
    try:
        # Whether it is the certificate's own key is asked below; that its numbers are primes costs too much at a start.
        key = serialization.load_pem_private_key(signer.key.encode(), None, unsafe_skip_rsa_key_validation=True)
        certificate = x509.load_pem_x509_certificate(signer.certificate.encode())
    except (ValueError, TypeError) as error:
        raise NotAKeyError("its key or its certificate cannot be read (a key with a password cannot)") from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < LEAST_BITS:
        raise NotAKeyError(f"its key must be RSA of {LEAST_BITS} bits or more")
    if certificate.public_key() != key.public_key():
        raise NotAKeyError("its certificate is of another key")
    return signer


def problems(words: Iterable[str]) -> list[str]:
    """Say of each word that is no key why, by its place."""
    found = []
    for number, word in enumerate(words, start=1):
        try:
            read(word)
        except NotAKeyError as error:
            found.append(f"number {number}: {error}")
    return found


if __name__ == "__main__":
    at = datetime.now(UTC)
    print(packed(new_signer(" ".join(sys.argv[1:]) or "Crossing", begins=at, ends=at + LASTS, bits=BITS)))
