"""The pages of the demo's identity provider: its metadata to take, and where people sign in.

Loopback only, and by number (127.0.0.1) while the portal is called localhost: to a browser another site, as a
customer's provider is.
"""

from datetime import UTC, datetime
from html import escape
from http import HTTPStatus
from typing import ClassVar, override
from urllib.parse import SplitResult, parse_qs

from portal.demo.airlines import AIRLINES, Airline
from portal.demo.idp import FAULTS, Asked, Fault, IdentityProvider, NotForUsError, where
from portal.demo.pages import STYLE, LoopbackPage, LoopbackServer

SCRIPT = "document.forms[0].requestSubmit();\n"
"""Sends the answer on by itself; without scripts there is the button."""


class SignInServer(LoopbackServer):
    """The provider's web server."""

    def __init__(self, provider: IdentityProvider, *, port: int) -> None:
        self.provider = provider
        super().__init__(_Page, port=port)


class _Page(LoopbackPage):
    server: SignInServer
    most_body: ClassVar[int] = 64 * 1024

    @override
    def show(self, address: SplitResult) -> None:
        """Show the airlines, one of them, its metadata, or its sign-in."""
        slug, _, what = address.path.strip("/").partition("/")
        airline, provider = self.server.provider.find(slug), self.server.provider
        given = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/idp.css":
            self.send(STYLE, kind="text/css")
        elif address.path == "/idp.js":
            self.send(SCRIPT, kind="text/javascript")
        elif address.path == "/":
            self.send(_front())
        elif airline and not what:
            self.send(_airline(airline, provider))
        elif airline and what in {"metadata", "former-metadata"}:
            self.send(provider.metadata(airline, former=what != "metadata"), kind="application/samlmetadata+xml")
        elif airline and what == "sso":
            self._ask(airline, given)
        else:
            self.send("Not found", kind="text/plain", status=HTTPStatus.NOT_FOUND)

    @override
    def take(self, path: str, given: dict[str, str]) -> None:
        """Sign a person in: hand their browser the answer to carry on."""
        slug, _, what = path.strip("/").partition("/")
        airline, provider = self.server.provider.find(slug), self.server.provider
        if airline is None or what != "sso" or given.get("person") not in provider.people(airline):
            self.send("Not found", kind="text/plain", status=HTTPStatus.NOT_FOUND)
            return
        try:
            asked = provider.read(given.get("SAMLRequest", ""))
        except NotForUsError as error:
            self.send(escape(str(error)), status=HTTPStatus.BAD_REQUEST)
            return
        known = {each.value for each in Fault}
        fault = Fault(given.get("fault", "")) if given.get("fault", "") in known else Fault.NONE
        message = provider.answer(airline, asked, email=given["person"], fault=fault, at=datetime.now(UTC))
        policy = (
            "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action {' '.join(provider.portals)}"  # the second address leads on to the first
        )
        self.send(_carrier(where(asked, fault), message, given.get("RelayState", "")), policy=policy)

    def _ask(self, airline: Airline, given: dict[str, str]) -> None:
        try:
            asked = self.server.provider.read(given.get("SAMLRequest", ""))
        except NotForUsError as error:
            self.send(_page("Not a sign-in", f"<p>{escape(str(error))}</p>"), status=HTTPStatus.BAD_REQUEST)
            return
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">'
            for name, value in (
                ("token", self.server.form_token),
                ("SAMLRequest", given["SAMLRequest"]),
                ("RelayState", given.get("RelayState", "")),
            )
        )
        self.send(_sign_in(airline, asked, hidden, self.server.provider.people(airline)))


def _page(title: str, body: str, *, head: str = "") -> str:
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Identity provider of the demo</title><link rel="stylesheet" href="/idp.css">{head}</head>
<body><p>Identity provider of the demo: it stands for the one where your people sign in.</p>
<h1>{escape(title)}</h1>{body}</body></html>"""


def _front() -> str:
    links = "".join(f'<li><a href="/{each.slug}/">{escape(each.name)}</a></li>' for each in AIRLINES)
    return _page("Airlines", f"<ul>{links}</ul>")


def _airline(airline: Airline, provider: IdentityProvider) -> str:
    entity_id = escape(provider.entity_id(airline))
    return _page(
        airline.name,
        f"""<p>Entity ID: <code>{entity_id}</code></p>
<p><a href="/{airline.slug}/metadata" download="{airline.slug}-metadata.xml">Download the current metadata</a>: upload
them in the portal under “Single sign-on”.</p>
<p class="notice">The signing certificate was changed twenty days ago.
<a href="/{airline.slug}/former-metadata" download="{airline.slug}-former.xml">The metadata from before</a> carry the
certificate that ended then.</p>""",
    )


def _sign_in(airline: Airline, asked: Asked, hidden: str, people: dict[str, str]) -> str:
    persons = "".join(
        f'<label><input type="radio" name="person" value="{escape(email)}"{" checked" if not number else ""}> '
        f"{escape(name)}, {escape(email)}</label>"
        for number, (email, name) in enumerate(people.items())
    )
    faults = "".join(f'<option value="{fault}">{escape(words)}</option>' for fault, words in FAULTS.items())
    return _page(
        f"Sign in to {airline.name}",
        f"""<p><code>{escape(asked.issuer)}</code> asks who you are.</p>
<form method="post" action="/{airline.slug}/sso">{hidden}
<fieldset><legend>You are</legend>{persons}</fieldset>
<label>What goes wrong here<br><select name="fault">{faults}</select></label>
<p><button>Sign in</button></p></form>""",
    )


def _carrier(address: str, message: str, relay_state: str) -> str:
    return _page(
        "You are signed in",
        f"""<form method="post" action="{escape(address)}">
<input type="hidden" name="SAMLResponse" value="{escape(message)}">
<input type="hidden" name="RelayState" value="{escape(relay_state)}">
<p><button>Continue</button></p></form>""",
        head='<script src="/idp.js" defer></script>',
    )
