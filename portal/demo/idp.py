"""The demo's identity provider: its keys, its metadata, and what it answers; real SAML, as a customer's own would be.

It stands for a system that is not ours: it knows the portal by its address alone. Each airline has its own keys in the
state folder, the present ones and those it used before it changed them.
"""

import base64
import binascii
import fcntl
import json
import zlib
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from lxml import etree

from portal.demo import minting
from portal.demo.airlines import AIRLINES, PEOPLE, Airline
from portal.demo.minting import SAML, SAMLP, Answer
from portal.house import state
from portal.saml_keys import Signer, new_signer

MOST_REQUEST = 64 * 1024
KEY_CHANGED = timedelta(days=20)
"""How long ago each airline's provider began to sign with its present key; the former one ended then."""


class Fault(StrEnum):
    """What may go wrong at a provider, as customers meet it."""

    NONE = ""
    AUDIENCE = "audience"
    ACS = "acs"
    CLOCK = "clock"
    CERTIFICATE = "certificate"
    UNSIGNED = "unsigned"
    DOMAIN = "domain"
    REFUSED = "refused"


FAULTS = {
    Fault.NONE: "Nothing: answer as it should be",
    Fault.AUDIENCE: "The audience is that of another application",
    Fault.ACS: "Our address was entered without its last character",
    Fault.CLOCK: "The clock is ten minutes slow",
    Fault.CERTIFICATE: "It signs with a certificate that is not in its metadata",
    Fault.UNSIGNED: "It does not sign",
    Fault.DOMAIN: "The person has an address of another domain",
    Fault.REFUSED: "The person is not assigned to the application",
}


class NotForUsError(ValueError):
    """What came is no request that this provider answers; the message says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An AuthnRequest: its id, who asks, and where the answer goes."""

    id: str
    issuer: str
    acs_url: str


@dataclass(frozen=True, slots=True)
class Keys:
    """What an airline's provider signs with: now, before, and by mistake."""

    present: Signer
    former: Signer
    other: Signer


class IdentityProvider:
    """Every airline's identity provider, at `address` (with a closing slash); `portals` says where the portal is."""

    def __init__(self, folder: Path, *, address: str, portals: Callable[[], Collection[str]]) -> None:
        self._folder, self.address, self._portals = folder, address, portals

    @property
    def portals(self) -> tuple[str, ...]:
        """Where the portal is, at its first address and at its second if it has one."""
        return tuple(portal.rstrip("/") for portal in self._portals() if portal)

    def find(self, slug: str) -> Airline | None:
        """Return the airline with this slug."""
        return next((airline for airline in AIRLINES if airline.slug == slug), None)

    def entity_id(self, airline: Airline) -> str:
        """Return how an airline's provider calls itself."""
        return f"{self.address}{airline.slug}/metadata"

    def metadata(self, airline: Airline, *, former: bool = False) -> str:
        """Return an airline's metadata, as they are or as they were before it changed its key."""
        keys = self.keys(airline)
        return minting.metadata(
            entity_id=self.entity_id(airline),
            sso_url=f"{self.address}{airline.slug}/sso",
            signers=[keys.former if former else keys.present],
        )

    def people(self, airline: Airline) -> dict[str, str]:
        """Return who can sign in at an airline's provider: their names by address."""
        return {f"{role}@{airline.domain}": name for role, name in PEOPLE.items()}

    def read(self, packed: str) -> Asked:
        """Read an AuthnRequest of the HTTP-Redirect binding; raises NotForUsError."""
        try:
            document = zlib.decompressobj(-15).decompress(base64.b64decode(packed, validate=True), MOST_REQUEST)
            root = _parsed(document)
        except (binascii.Error, ValueError, zlib.error, etree.XMLSyntaxError) as error:
            raise NotForUsError("This is not a sign-in request.") from error
        acs_url = str(root.get("AssertionConsumerServiceURL") or "")
        ours = tuple(f"{portal}/sso/" for portal in self.portals)
        if root.tag != f"{{{SAMLP}}}AuthnRequest" or not acs_url.startswith(ours):
            raise NotForUsError("This provider answers the portal of the demo alone.")
        return Asked(str(root.get("ID")), str(root.findtext(f"{{{SAML}}}Issuer") or ""), acs_url)

    def answer(self, airline: Airline, asked: Asked, *, email: str, fault: Fault, at: datetime) -> str:
        """Return the response to a request, signed, with what is to be wrong about it."""
        keys, name = self.keys(airline), self.people(airline).get(email, "")
        answer = Answer(
            issuer=self.entity_id(airline), audience=asked.issuer, acs_url=asked.acs_url, request_id=asked.id,
            email=email, at=at, attributes={"displayName": (name,), "groups": ("Everyone", "Crossing")},
        )  # fmt: skip
        match fault:
            case Fault.AUDIENCE:
                answer = replace(answer, audience="https://other-application.example")
            case Fault.ACS:
                answer = replace(answer, acs_url=where(asked, fault))
            case Fault.CLOCK:
                answer = replace(answer, at=at - timedelta(minutes=10))
            case Fault.DOMAIN:
                answer = replace(answer, email=email.replace(airline.domain, "contractor.example"))
            case Fault.REFUSED:
                answer = replace(answer, status="urn:oasis:names:tc:SAML:2.0:status:Responder")
        root = minting.response(answer)
        if fault is Fault.REFUSED:
            root.remove(minting.assertion_of(root))
        elif fault is not Fault.UNSIGNED:
            minting.sign(minting.assertion_of(root), keys.other if fault is Fault.CERTIFICATE else keys.present)
        return minting.encoded(root)

    def keys(self, airline: Airline) -> Keys:
        """Return an airline's keys, drawn at the first time."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{airline.slug}.json"
        with path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                state.write_private(path, json.dumps(asdict(_drawn(airline))))
            kept = json.loads(path.read_text(encoding="utf-8"))
        return Keys(**{name: Signer(**signer) for name, signer in kept.items()})


def where(asked: Asked, fault: Fault) -> str:
    """Return the address that an answer goes to, as it was entered here."""
    return asked.acs_url.rstrip("/") if fault is Fault.ACS else asked.acs_url


def of_checkout(*, address: str, portals: Callable[[], Collection[str]]) -> IdentityProvider:
    """Return the identity provider of this checkout's demo."""
    return IdentityProvider(state.prepare() / "idp", address=address, portals=portals)


def _drawn(airline: Airline) -> Keys:
    changed = datetime.now(UTC) - KEY_CHANGED
    year = timedelta(days=365)
    name = f"sign-in.{airline.domain}"
    return Keys(
        present=new_signer(name, begins=changed - timedelta(days=1), ends=changed + 3 * year),
        former=new_signer(name, begins=changed - 2 * year, ends=changed),
        other=new_signer(f"test.{name}", begins=changed, ends=changed + year),
    )


def _parsed(document: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(document, parser)
