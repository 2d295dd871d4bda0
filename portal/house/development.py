"""The environment of a development checkout: every variable of `docs/operations.md`, with values drawn once."""

import base64
import os
import secrets
import subprocess
from collections.abc import MutableMapping

from portal.house import setup, state
from portal.house.hold import Servers
from portal.house.state import Memory


def environment(memory: Memory | None = None) -> dict[str, str]:
    """The variables that the portal reads, for this checkout's own servers.

    Nothing here fits production: the host is loopback and the demo's counterparts are allowed.
    """
    memory = memory or Memory()
    postgres, valkey = memory.port("postgres"), memory.port("valkey")

    def database(role: str, name: str) -> str:
        return f"postgres://{role}:{memory.secret(role)}@127.0.0.1:{postgres}/{name}"

    def broker(number: int) -> str:
        return f"redis://:{memory.secret('valkey')}@127.0.0.1:{valkey}/{number}"

    def hexadecimal() -> str:
        return secrets.token_hex(32)

    def fernet() -> str:
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()

    def saml() -> str:  # by the environment's interpreter: this one may have no packages
        command = [str(setup.python()), "-m", "portal.saml_keys", "Crossing, a development checkout"]
        return subprocess.run(command, cwd=state.CHECKOUT, capture_output=True, text=True, check=True).stdout.strip()

    public = f"http://localhost:{memory.port('web')}"
    return {
        "CROSSING_DEMO": "on",
        "CROSSING_DEMO_PASSWORD": memory.secret("persona", make=lambda: f"crossing-{secrets.token_hex(4)}"),
        "DATABASE_URL": database("crossing_app", "crossing"),
        "DATABASE_OWNER_URL": database("crossing_owner", "crossing"),
        "DATABASE_BACKUP_URL": database("crossing_backup", "crossing"),
        "LEGACY_DATABASE_URL": database("legacy_reader", "legacy"),
        "NEW_DATABASE_URL": database("new_loader", "newplatform"),
        "DEMO_LEGACY_OWNER_URL": database("demo_owner", "legacy"),
        "DEMO_NEW_OWNER_URL": database("demo_owner", "newplatform"),
        "BROKER_URL": broker(0),
        "CACHE_URL": broker(1),
        "SECRET_KEY": memory.secret("django", make=lambda: secrets.token_urlsafe(64)),
        "TENANCY_KEY": memory.secret("tenancy", make=hexadecimal),
        "LEDGER_SIGNING_KEY": memory.secret("ledger", make=hexadecimal),
        "FIELD_KEYS": memory.secret("field", make=fernet),
        "FIELD_KEY": memory.secret("field", make=fernet),
        "SAML_KEYS": memory.secret("saml", make=saml),
        "PUBLIC_URL": public,
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "CSRF_TRUSTED_ORIGINS": public,
        "DNS_RESOLVER": f"127.0.0.1:{memory.port('dns')}",
        "DEMO_DNS_CONSOLE": f"http://127.0.0.1:{memory.port('dns_console')}/",
        # By number, as the portal is called localhost: to a browser that is another site.
        "DEMO_IDENTITY_PROVIDER": f"http://127.0.0.1:{memory.port('idp')}/",
        "DEMO_RECEIVER": f"http://127.0.0.1:{memory.port('receiver')}/",
        "OUTBOUND_LOOPBACK_PORTS": str(memory.port("receiver")),
        "EMAIL_URL": f"filemail:///{state.folder() / 'mail'}",  # django-environ takes one slash off the path
    }


def adopt(variables: MutableMapping[str, str]) -> Servers | None:
    """Give a bare command line the development environment and hold the servers for it.

    Only in a checkout that was set up (it has a state folder) and only if none of the portal's variables is set:
    an installation that names its own database is left alone, and one that forgot to fails loudly as it should.
    """
    named = {"DATABASE_URL", "DATABASE_OWNER_URL", "SECRET_KEY", "PUBLIC_URL"}
    if named & variables.keys() or not (state.folder() / "state.json").exists():
        return None
    servers = Servers().take()
    for name, value in environment().items():
        variables.setdefault(name, value)
    return servers


def exported(names: MutableMapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of this process, completed by the development one, for a child process."""
    return {**environment(), **names}
