"""Everything but the database: Python and packages, broker and worker, cache, DNS, mail, keys, clock and disk."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.mail import get_connection
from django.utils import timezone

from core import pdf, ports
from core.dns import DnsStatus
from portal import rules, saml_keys
from portal.celery import app
from portal.doctor import Symptom

LEAST_FREE = 1024**3
ROTATE_BEFORE = timedelta(days=90)
"""How long customers need to enter our next certificate at their providers."""


def python() -> Iterator[Symptom]:
    """Python and the locked packages."""
    number = ".".join(map(str, sys.version_info[:3]))
    fit = (3, 12) <= sys.version_info < (3, 15)
    yield Symptom(f"Python {number}", "" if fit else "use Python 3.12, 3.13 or 3.14")
    wrong = []
    for line in (settings.BASE_DIR / "requirements" / "base.lock").read_text().splitlines():
        name, sign, rest = line.partition("==")
        if not sign or ";" in rest:  # what only some platforms need says so behind a semicolon
            continue
        wanted = rest.split()[0]
        try:
            if version(name.partition("[")[0]) != wanted:
                wrong.append(f"{name} {version(name)} instead of {wanted}")
        except PackageNotFoundError:
            wrong.append(f"{name} {wanted} is missing")
    fix = f"{'; '.join(wrong[:3])}: pip install --require-hashes -r requirements/base.lock" if wrong else ""
    yield Symptom("packages are as locked", fix)


def paper() -> Iterator[Symptom]:
    """PDFs."""
    if pdf.is_possible():
        yield Symptom("PDFs can be made")
        return
    packages = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
    wanted = f"install {packages}" if not settings.DEMO else ""
    yield Symptom(f"no PDFs here (they need {packages}); pages print from the browser", wanted)


def configuration() -> Iterator[Symptom]:
    """Settings and keys."""
    values = {name: getattr(settings, name) for name in dir(settings) if name.isupper()}
    found = rules.problems(values, production=not (settings.DEMO or settings.TESTS))
    yield Symptom("settings and keys", "; ".join(found))
    if settings.DEMO:
        yield Symptom("this is a demo: never put it on a public address")


def signing() -> Iterator[Symptom]:
    """What SAML is signed with."""
    first, *others = map(saml_keys.read, settings.SAML_KEYS)
    ends_on = first.ends_at.date()
    fix = ""
    if first.ends_at - timezone.now() < ROTATE_BEFORE:
        fix = "add the next one to SAML_KEYS now, behind it (docs/operations.md, Rotating keys)"
    yield Symptom(f"the certificate that SAML is signed with ends on {ends_on:%d %B %Y}", fix)
    if others:
        yield Symptom(f"{len(others)} more told to customers' providers: drop what signs no more")


def broker() -> Iterator[Symptom]:
    """The broker and the worker."""
    with app.connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, timeout=3)
        client: Any = connection.default_channel.client  # type: ignore[attr-defined]  # the Redis transport's own
        configuration = client.config_get("appendonly", "maxmemory-policy")
    kept = configuration.get("appendonly") == "yes"
    yield Symptom("the broker keeps what it accepted", "" if kept else "set `appendonly yes` in its configuration")
    policy = configuration.get("maxmemory-policy")
    evicts = "" if policy == "noeviction" else f"its policy is {policy}: set `maxmemory-policy noeviction`"
    yield Symptom("the broker never evicts", evicts)
    workers = app.control.ping(timeout=2) or []
    if settings.DEMO and not workers:
        yield Symptom("no worker runs (make demo starts one)")
        return
    start = "none answers: start `celery --app=portal.celery worker` (and one `beat`)"
    yield Symptom(f"{len(workers)} worker(s) answer", "" if workers else start)


def shared_cache() -> Iterator[Symptom]:
    """The shared cache."""
    cache.set("doctor", "well", timeout=10)
    well = cache.get("doctor") == "well"
    yield Symptom("the shared cache answers", "" if well else "check CACHE_URL: rate limits and one-time codes need it")


def names() -> Iterator[Symptom]:
    """The DNS resolver."""
    answer = ports.dns().txt("crossing-doctor.invalid.")
    well = answer.status is DnsStatus.NXDOMAIN
    where = settings.DNS_RESOLVER or "the system's resolver"
    if settings.DEMO and answer.status.is_outage:
        yield Symptom("the demo's DNS server does not run (make demo starts it)")
        return
    fix = f"{where} answered {answer.status.value} where it must say that the name does not exist: check DNS_RESOLVER"
    yield Symptom(f"DNS answers ({where})", "" if well else fix)


def mail() -> Iterator[Symptom]:
    """The mail server."""
    if "smtp" not in settings.EMAIL_BACKEND:
        yield Symptom(f"mails go to {settings.EMAIL_BACKEND.rsplit('.', 2)[-2]}")
        return
    with get_connection(timeout=5):
        yield Symptom(f"the mail server {settings.EMAIL_HOST} accepts us")


def disk() -> Iterator[Symptom]:
    """Free disk space."""
    for place in sorted({Path(settings.BASE_DIR), Path(tempfile.gettempdir())}):
        free = shutil.disk_usage(place).free
        short = f"free {LEAST_FREE / 1024**3:.0f} GB at least" if free < LEAST_FREE else ""
        yield Symptom(f"{free / 1024**3:.0f} GB free at {place}", short)


def static_files() -> Iterator[Symptom]:
    """Style sheets and icons."""
    if settings.DEBUG or settings.DEMO:
        return
    built = (Path(settings.STATIC_ROOT) / "staticfiles.json").exists()
    yield Symptom("static files are collected", "" if built else "run `manage.py collectstatic --no-input`")
