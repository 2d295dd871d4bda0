"""The worked example of docs/operations.md, played through: production settings, collected files, gunicorn, a proxy."""

import os
import re
import subprocess
import sys
import time

import httpx
import pytest

from portal.house import quality, state

pytestmark = pytest.mark.slow
PROXY = {"Host": "crossing.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """Production's variables, with the static files collected."""
    place = tmp_path_factory.mktemp("static")
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("CROSSING_", "DEMO_"))},
        **{name: value for name, value in quality.production_environment().items() if "URL" not in name},
        "PUBLIC_URL": "https://crossing.example",
        "EMAIL_URL": "smtp+tls://crossing:secret@mail.example:587",
        "STATIC_ROOT": str(place),
        "WEB_WORKERS": "1",
        "WEB_THREADS": "2",
        # A database that was migrated with the tests' key knows no other.
        "TENANCY_KEY": os.environ["TENANCY_KEY"],
    }
    variables.pop("DNS_RESOLVER", None)
    variables.pop("OUTBOUND_LOOPBACK_PORTS", None)
    manage("collectstatic", "--no-input", "--verbosity=0", variables=variables)
    return variables


def manage(*arguments: str, variables: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=state.CHECKOUT,
        env={**variables, "DJANGO_SETTINGS_MODULE": "portal.settings"},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.fixture
def served(committed_db, collected):
    """The portal under gunicorn, as its proxy meets it."""
    port = state.any_free_port(besides=set())
    web = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config=python:portal.gunicorn", "portal.wsgi"],
        cwd=state.CHECKOUT,
        env={**collected, "DATABASE_URL": os.environ["DATABASE_URL"], "WEB_BIND": f"127.0.0.1:{port}"},
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=PROXY, trust_env=False) as proxy:
            until = time.monotonic() + 60
            while True:
                try:
                    proxy.get("/healthz")
                    break
                except httpx.TransportError:
                    assert web.poll() is None, "gunicorn ended"
                    assert time.monotonic() < until
                    time.sleep(0.05)
            yield proxy
    finally:
        web.terminate()
        web.wait(timeout=30)


def test_the_worked_example_serves_a_sign_in_page_with_its_style_sheets(served):
    page = served.get("/accounts/login/")
    assert page.status_code == 200
    assert "max-age=31536000" in page.headers["Strict-Transport-Security"]
    assert "Secure" in page.headers["Set-Cookie"]
    sheets = re.findall(r'<link[^>]+href="(/static/[^"]+\.css)"', page.text)
    assert sheets
    for sheet in sheets:
        assert re.search(r"\.[0-9a-f]{12}\.css$", sheet), "the file's name carries its digest"
        answer = served.get(sheet)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


def test_plain_http_is_sent_to_https_but_not_the_health_checks(served):
    plain = {"X-Forwarded-Proto": "http"}
    sent = served.get("/accounts/login/", headers=plain)
    assert (sent.status_code, sent.headers["Location"]) == (301, "https://crossing.example/accounts/login/")
    assert served.get("/healthz", headers=plain).status_code == 200
    assert served.get("/readyz", headers=plain).json() == {"database": "ok", "cache": "ok"}


def test_a_forged_host_is_refused(served):
    assert served.get("/accounts/login/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY"),
        ({"DATABASE_URL": None}, "DATABASE_URL"),
        ({"TENANCY_KEY": "short"}, "TENANCY_KEY must be 64 hexadecimal digits"),
        ({"DEBUG": "on", "PUBLIC_URL": "http://crossing.example"}, "DEBUG must be off"),
        ({"EMAIL_URL": None}, "EMAIL_URL must reach a mail server"),
    ],
)
def test_a_missing_or_unsafe_setting_stops_the_start_and_is_named(collected, change, named):
    variables = {**collected, "DATABASE_URL": os.environ["DATABASE_URL"]}
    variables.update({name: value for name, value in change.items() if value is not None})
    for name, value in change.items():
        if value is None:
            del variables[name]
    with pytest.raises(subprocess.CalledProcessError) as ended:
        manage("check", variables=variables)
    assert named in ended.value.stderr
