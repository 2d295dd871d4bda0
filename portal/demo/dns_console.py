"""The demo's DNS provider: a small web page where a customer publishes records, as at any registrar.

It stands for a system that is not ours, so it shares nothing with the portal but the zone file that both the page and
the DNS server read. Like many providers it adds the domain to every host by itself. Loopback only.
"""

from html import escape
from http import HTTPStatus
from typing import override
from urllib.parse import SplitResult, parse_qs, quote

from portal.demo.dns import Fault, Record, ZoneFile, Zones
from portal.demo.pages import STYLE, LoopbackPage, LoopbackServer

KINDS = ("TXT", "CNAME")


class Console(LoopbackServer):
    """The provider's web server."""

    def __init__(self, zone_file: ZoneFile, *, port: int, host: str = "127.0.0.1") -> None:
        self.zone_file = zone_file
        super().__init__(_Page, port=port, host=host)


class _Page(LoopbackPage):
    server: Console

    @override
    def show(self, address: SplitResult) -> None:
        """Show a domain's records."""
        if address.path == "/console.css":
            self.send(STYLE, kind="text/css")
            return
        if address.path != "/":
            self.send("Not found", kind="text/plain", status=HTTPStatus.NOT_FOUND)
            return
        zones, asked = self.server.zone_file.read(), parse_qs(address.query)
        chosen = asked.get("domain", zones.domains[:1])
        domain = chosen[0] if chosen and chosen[0] in zones.domains else ""
        self.send(_page(zones, domain, token=self.server.form_token, done=asked.get("done", [""])[0]))

    @override
    def take(self, path: str, given: dict[str, str]) -> None:
        """Change the zone, then show it."""
        domain, done = apply(self.server.zone_file, path.strip("/"), given)
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", f"/?domain={quote(domain)}&done={quote(done)}")
        self.end_headers()


def apply(zone_file: ZoneFile, action: str, given: dict[str, str]) -> tuple[str, str]:
    """Do what a form asks; return the domain to show and what to say. Anything malformed does nothing."""
    domain = given.get("domain", "").strip().rstrip(".").lower()
    if action == "register" and "." in domain:
        zone_file.register(domain)
        return domain, f"{domain} is registered."
    if domain not in zone_file.read().domains:
        return "", ""
    match action:
        case "publish" if given.get("kind") in KINDS and given.get("value"):
            host = given.get("host", "").strip().rstrip(".").lower()
            name = domain if host in {"", "@"} else f"{host}.{domain}"
            zone_file.publish(name, given["value"], kind=given["kind"])
            return domain, f"Published at {name}."
        case "withdraw":
            zone_file.withdraw(given.get("name", ""), kind=given.get("kind", ""), value=given.get("value", ""))
            return domain, "Removed."
        case "outage":
            _break(zone_file, domain, given.get("fault", ""))
            return domain, "The name servers of this domain now behave so."
    return domain, ""


def _break(zone_file: ZoneFile, domain: str, fault: str) -> None:
    with zone_file.edit() as zones:
        zones.faults.pop(domain, None)
        if fault in {known.value for known in Fault}:
            zones.faults[domain] = fault


def _page(zones: Zones, domain: str, *, token: str, done: str) -> str:
    hidden = _hidden("token", token) + _hidden("domain", domain)
    links = "".join(
        f'<a href="/?domain={quote(each)}"{" aria-current=page" if each == domain else ""}>{escape(each)}</a>'
        for each in zones.domains
    )
    said = f'<p class="notice" role="status">{escape(done)}</p>' if done else ""
    body = _zone(zones, domain, hidden) if domain else "<p>No domain is registered yet.</p>"
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(domain) or "Domains"} · DNS provider of the demo</title>
<link rel="stylesheet" href="/console.css"></head>
<body><p>DNS provider of the demo: it stands for the one where your domain is registered.</p>
<nav aria-label="Domains">{links}</nav>{said}{body}
<h2>Register a domain</h2>
<form class="row" method="post" action="/register">{_hidden("token", token)}
<label>Domain<br><input name="domain" required></label><button>Register</button></form></body></html>"""


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _zone(zones: Zones, domain: str, hidden: str) -> str:
    rows = "".join(_row(record, hidden) for record in zones.records if zones.domain_of(record.name) == domain)
    heads = "".join(f"<th>{head}</th>" for head in ("Name", "Type", "Value", ""))
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    kinds = "".join(f"<option>{kind}</option>" for kind in KINDS)
    faults = "".join(
        f'<option value="{fault}"{" selected" if zones.faults.get(domain, "") == fault else ""}>{words}</option>'
        for fault, words in (("", "answer"), ("timeout", "do not answer"), ("servfail", "fail"), ("refused", "refuse"))
    )
    return f"""<h1>{escape(domain)}</h1>{table if rows else "<p>No records yet.</p>"}
<h2>Add a record</h2>
<form class="row" method="post" action="/publish">{hidden}
<label>Type<br><select name="kind">{kinds}</select></label>
<label>Host<br><input name="host" placeholder="@"><span class="suffix">.{escape(domain)}</span></label>
<label>Value<br><input name="value" required></label><button>Publish</button></form>
<h2>Try an outage</h2>
<form class="row" method="post" action="/outage">{hidden}
<label>The name servers<br><select name="fault">{faults}</select></label><button>Apply</button></form>"""


def _row(record: Record, hidden: str) -> str:
    this = _hidden("name", record.name) + _hidden("kind", record.kind) + _hidden("value", record.value)
    name, value = escape(record.name), escape(record.value)
    return f"""<tr><td><code>{name}</code></td><td>{record.kind}</td><td><code>{value}</code></td>
<td><form method="post" action="/withdraw">{hidden}{this}
<button aria-label="Remove {record.kind} {name}">Remove</button></form></td></tr>"""
