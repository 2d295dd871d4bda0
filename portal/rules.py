"""What an installation must set, and what it must not: every problem is named at once, with its fix."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from core.outbound import networks
from portal import saml_keys

KEY_BYTES = 32
UNFIT_MAIL = ("console", "filebased", "locmem", "dummy")
PRIVILEGED_ROLES = {"postgres", "crossing_owner", "crossing_backup", "crossing_audit", "crossing_lookup"}


def is_hexadecimal_key(text: str) -> bool:
    """Whether a text is 32 bytes in hexadecimal."""
    try:
        return len(bytes.fromhex(text.strip())) == KEY_BYTES
    except ValueError:
        return False


def is_fernet_key(text: str) -> bool:
    """Whether a text is 32 bytes in URL-safe base64, as Fernet wants them."""
    try:
        return len(base64.b64decode(text.strip().encode(), altchars=b"-_", validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def malformed(values: Mapping[str, Any]) -> list[str]:
    """Problems that no installation may have, be it production, demo or test."""
    problems = []
    tenancy = str(values["TENANCY_KEY"]).split(",")
    if not 1 <= len(tenancy) <= 2 or not all(map(is_hexadecimal_key, tenancy)):
        problems.append("TENANCY_KEY must be 64 hexadecimal digits (two keys, comma between, while one is rotated)")
    if not is_hexadecimal_key(values["LEDGER_SIGNING_KEY"]):
        problems.append("LEDGER_SIGNING_KEY must be 64 hexadecimal digits (an Ed25519 seed)")
    if not values["FIELD_KEYS"] or not all(map(is_fernet_key, values["FIELD_KEYS"])):
        problems.append("FIELD_KEYS must be one or more Fernet keys, newest first, comma between")
    if wrong := saml_keys.problems(values["SAML_KEYS"]) if values["SAML_KEYS"] else ["there is none"]:
        problems.append(f"SAML_KEYS must be words that `python -m portal.saml_keys` prints ({'; '.join(wrong)})")
    try:
        networks(values.get("OUTBOUND_DENIED_NETWORKS", ()))
    except ValueError:
        problems.append("OUTBOUND_DENIED_NETWORKS must be networks as in 203.0.113.0/24, comma between")
    return problems


def unsafe(values: Mapping[str, Any]) -> list[str]:
    """Problems that production may not have."""
    problems = []
    public = urlsplit(str(values["PUBLIC_URL"]))
    hosts = values["ALLOWED_HOSTS"]
    if public.scheme != "https" or not public.hostname or public.path not in {"", "/"}:
        problems.append("PUBLIC_URL must be https://host, without a path")
    elif public.hostname not in hosts and not any(
        host.startswith(".") and f".{public.hostname}".endswith(host) for host in hosts
    ):
        problems.append(f"ALLOWED_HOSTS must contain {public.hostname}, the host of PUBLIC_URL")
    problems += _unsafe_failover(str(values.get("FAILOVER_URL", "")), hosts)
    if not hosts or "*" in hosts:
        problems.append("ALLOWED_HOSTS must name the hosts; * lets anybody forge links in mails")
    if values["DEBUG"]:
        problems.append("DEBUG must be off: its error pages show secrets")
    if len(values["SECRET_KEY"]) < 50 or len(set(values["SECRET_KEY"])) < 5:
        problems.append("SECRET_KEY must be at least 50 random characters")
    keys = [*str(values["TENANCY_KEY"]).split(","), values["LEDGER_SIGNING_KEY"], values["SECRET_KEY"]]
    if len(set(keys)) < len(keys):
        problems.append("TENANCY_KEY, LEDGER_SIGNING_KEY and SECRET_KEY must differ from each other")
    if any(kind in values["EMAIL_BACKEND"] for kind in UNFIT_MAIL):
        problems.append("EMAIL_URL must reach a mail server (smtp+tls://user:password@host:587)")
    if values.get("OUTBOUND_LOOPBACK_PORTS"):
        problems.append("OUTBOUND_LOOPBACK_PORTS must be empty: it lets customers' addresses lead into this machine")
    if values["DATABASE_ROLE"] == "app" and values["DATABASES"]["default"].get("USER") in PRIVILEGED_ROLES:
        problems.append("DATABASE_URL must connect as crossing_app; any other role sees past row-level security")
    return problems


def _unsafe_failover(url: str, hosts: Sequence[str]) -> list[str]:
    second = urlsplit(url)
    if not url or (second.scheme == "https" and second.hostname in hosts and second.path in {"", "/"}):
        return []
    return ["FAILOVER_URL must be https://host, without a path, and its host one of ALLOWED_HOSTS"]


def out_of_place(values: Mapping[str, Any]) -> list[str]:
    """Problems of a demo or a test run that serves the public: their switches turn the rules of production off."""
    if urlsplit(str(values["PUBLIC_URL"])).scheme != "https":
        return []
    switches = {"CROSSING_DEMO": values.get("DEMO"), "CROSSING_TESTS": values.get("TESTS")}
    return [f"{name} must be off where PUBLIC_URL is https" for name, is_on in switches.items() if is_on]


def problems(values: Mapping[str, Any], *, production: bool) -> list[str]:
    """Every problem of the settings in `values`, each fit to follow “Settings: ”."""
    return malformed(values) + out_of_place(values) + (unsafe(values) if production else [])
