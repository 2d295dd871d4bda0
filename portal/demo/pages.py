"""Small web pages of the systems that the demo stands in for: loopback only, no scripts of strangers, no log."""

import secrets
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import SplitResult, parse_qs, urlsplit

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .6rem .4rem 0; vertical-align: top; }
td { overflow-wrap: anywhere; border-top: 1px solid #8886; } code { font-size: .95em; overflow-wrap: anywhere; }
form.row { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: end; }
label { display: block; font-size: .9rem; } fieldset { margin: 1rem 0; border: 1px solid #8886; }
fieldset label { font-size: 1rem; padding: .2rem 0; }
input, select, button { font: inherit; padding: .35rem .6rem; box-sizing: border-box; }
button { white-space: nowrap; } body { overflow-wrap: anywhere; }
input:not([type=radio]), select, button { min-height: 2.2rem; }
input[name=value] { width: min(30rem, 90vw); } nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; }
.suffix { font-family: monospace; } .notice { border-left: 4px solid #0a7; padding: .4rem .8rem; }
"""


class LoopbackServer(ThreadingHTTPServer):
    """A web server of the demo; its forms carry a token, so that no other page can send them."""

    daemon_threads = True

    def __init__(self, page: type["LoopbackPage"], *, port: int, host: str = "127.0.0.1") -> None:
        self.form_token = secrets.token_urlsafe(16)
        super().__init__((host, port), page)


class LoopbackPage(BaseHTTPRequestHandler):
    """Answers requests to this machine alone."""

    server: LoopbackServer
    most_body: ClassVar[int] = 8192
    policy: ClassVar[str] = (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )

    def show(self, address: SplitResult) -> None:
        """Answer a GET of this machine's."""
        raise NotImplementedError

    def take(self, path: str, given: dict[str, str]) -> None:
        """Answer a form of ours, with its fields."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """Show a page, to this machine alone."""
        address = urlsplit(self.path)
        if address.path == "/favicon.ico":  # browsers ask for it by themselves
            self.send("", kind="text/plain")
        elif self._is_local():
            self.show(address)

    def do_POST(self) -> None:
        """Take a form, from this machine and from a page of ours alone."""
        if self._is_local() and (given := self._form()) is not None:
            self.take(urlsplit(self.path).path, given)

    def _is_local(self) -> bool:
        """Refuse names that lead here by rebinding."""
        if (self.headers.get("Host") or "").partition(":")[0] in {"127.0.0.1", "localhost"}:
            return True
        self.send("Not here", kind="text/plain", status=HTTPStatus.MISDIRECTED_REQUEST)
        return False

    def _form(self) -> dict[str, str] | None:
        """Return the fields of a form of ours; None for anything else, which is answered already."""
        size = int(self.headers.get("Content-Length") or 0)
        if size > self.most_body:
            self.send("Too long", kind="text/plain", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return None
        given = {name: values[0] for name, values in parse_qs(self.rfile.read(size).decode("utf-8", "replace")).items()}
        if not secrets.compare_digest(given.get("token", "").encode(), self.server.form_token.encode()):
            self.send("Open the page again", kind="text/plain", status=HTTPStatus.FORBIDDEN)
            return None
        return given

    def send(self, body: str, *, kind: str = "text/html", status: HTTPStatus = HTTPStatus.OK, policy: str = "") -> None:
        """Answer with a text."""
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", policy or self.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the standard library's own name)
        """Say nothing: the demo's output is for people."""
