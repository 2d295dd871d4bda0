"""An identity provider that shares no code with ours: pysaml2 with Debian's xmlsec1, as small as it can be."""

import base64
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, SAMLError
from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_EMAILADDRESS, NameID
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

from portal.saml_keys import Signer
from tests import serving as servers
from tests.ports import free_port


@dataclass
class IndependentProvider:
    """Signs in whoever is asked for: one page with one button per person."""

    folder: Path
    signer: Signer
    people: list[str]
    port: int = field(default_factory=free_port)
    more: list[Signer] = field(default_factory=list)
    """Further certificates of its metadata: those that it is about to sign with."""
    known: list[str] = field(default_factory=list)
    """The metadata of those whom it serves."""
    wants_signed_requests: bool = False

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def metadata(self) -> bytes:
        """Write its metadata, by pysaml2."""
        return str(entity_descriptor(self._config())).encode()

    def serve(self, sp_metadata: str) -> None:
        """Take over whom it serves."""
        self.known.append(sp_metadata)

    def checked(self, url: str) -> bool:
        """Say whether it takes the AuthnRequest of an address."""
        try:
            self._read(Server(config=self._config()), given_by(url))
        except SAMLError:
            return False
        return True

    def answer(self, given: dict[str, str], *, email: str) -> tuple[str, str]:
        """Return where an answer to an AuthnRequest goes, by the fields of its address, and the answer."""
        server = Server(config=self._config())
        asked = self._read(server, given).message
        arguments = server.response_args(asked, [BINDING_HTTP_POST])
        message = server.create_authn_response(
            identity={"mail": [email], "displayName": ["Somebody"]},
            name_id=NameID(format=NAMEID_FORMAT_EMAILADDRESS, text=email),
            userid=email,
            authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": self.address},
            sign_assertion=True,
            sign_response=True,
            sign_alg=SIG_RSA_SHA256,
            digest_alg=DIGEST_SHA256,
            **{
                name: arguments[name]
                for name in ("in_response_to", "sp_entity_id", "destination", "name_id_policy")
                if name in arguments
            },
        )
        return arguments["destination"], base64.b64encode(str(message).encode()).decode()

    def _read(self, server: Server, given: dict[str, str]) -> Any:
        return server.parse_authn_request(
            given["SAMLRequest"], BINDING_HTTP_REDIRECT, given["RelayState"], given.get("SigAlg"),
            given.get("Signature"),
        )  # fmt: skip

    def _config(self) -> IdPConfig:
        key, certificate = self._written("signs", self.signer)
        config = IdPConfig()
        config.load(
            {
                "entityid": f"{self.address}/metadata",
                "xmlsec_binary": "/usr/bin/xmlsec1",
                "key_file": key,
                "cert_file": certificate,
                "additional_cert_files": [self._written(f"more{n}", one)[1] for n, one in enumerate(self.more)],
                "metadata": {"inline": self.known} if self.known else {},
                "service": {
                    "idp": {
                        "endpoints": {"single_sign_on_service": [(f"{self.address}/sso", BINDING_HTTP_REDIRECT)]},
                        "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None}},
                        "name_id_format": [NAMEID_FORMAT_EMAILADDRESS],
                        "want_authn_requests_signed": self.wants_signed_requests,
                    }
                },
            }
        )
        return config

    def _written(self, name: str, signer: Signer) -> tuple[str, str]:
        paths = (self.folder / f"{name}.key", self.folder / f"{name}.pem")
        for path, text in zip(paths, (signer.key, signer.certificate), strict=True):
            path.write_text(text)
        return str(paths[0]), str(paths[1])


@contextlib.contextmanager
def serving(provider: IndependentProvider) -> Iterator[IndependentProvider]:
    """Serve its page until the block ends."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not urlsplit(self.path).query:
                self._send("Independent")  # a browser's wish for an icon
                return
            given = given_by(self.path)
            if "person" not in given:
                hidden = _fields(given)
                buttons = "".join(f'<button name="person" value="{each}">{each}</button>' for each in provider.people)
                self._send(f"<form>{hidden}{buttons}</form>")
                return
            where, message = provider.answer(given, email=given["person"])
            hidden = _fields({"SAMLResponse": message, "RelayState": given["RelayState"]})
            self._send(f'<form method="post" action="{escape(where)}">{hidden}<button>Go on</button></form>')

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def _send(self, body: str) -> None:
            page = f"<!DOCTYPE html><title>Independent</title>{body}".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

    with servers.serving(ThreadingHTTPServer(("127.0.0.1", provider.port), Page)):
        yield provider


def given_by(url: str) -> dict[str, str]:
    """Return the fields of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def _fields(values: dict[str, str]) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in values.items())
