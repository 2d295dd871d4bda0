"""What goes along with a page: who may keep it, what it may load, and what cannot be read at all."""

import re

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from core.permissions import StaffRole, TenantRole
from portal.wsgi import application
from tests import make

pytestmark = pytest.mark.django_db


def directives(response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in response.headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, _, sources in parts}


def test_a_tenants_page_is_kept_by_nobody(client):
    tenant = make.tenant()
    client.force_login(make.member(tenant, TenantRole.OWNER).user)
    ours = f"/t/{tenant.slug}/"
    for page in (ours, f"{ours}members/", f"{ours}nowhere/", "/accounts/sessions/"):
        assert {"private", "no-store"} <= set(re.split(r",\s*", client.get(page).headers["Cache-Control"])), page
    assert "no-store" in client.post("/accounts/logout/").headers["Cache-Control"]


def test_what_nobody_signed_in_for_may_be_kept(client):
    assert "no-store" not in client.get("/favicon.ico").headers.get("Cache-Control", "")


def test_a_page_asks_nothing_of_the_browser_but_passkeys_and_the_clipboard(client):
    page = client.get("/accounts/login/")
    assert "camera=()" in page.headers["Permissions-Policy"]
    assert "publickey-credentials-get=(self)" in page.headers["Permissions-Policy"]
    assert page.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_admin_has_a_policy_of_its_own_and_nobody_else_has_it(client):
    client.force_login(make.staff(StaffRole.AUDITOR))
    admin, ours = directives(client.get(reverse("admin:index"))), directives(client.get("/components/"))
    for policy in (admin, ours):
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["form-action"] == "'self'"
        assert "'unsafe-inline'" not in policy["script-src"]
    assert admin["object-src"] == "'none'"
    assert admin["default-src"] == "'self'"
    assert ours["default-src"] == "'none'"
    assert ours["script-src"] == ours["style-src"] == "'self'"


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "nonsense", "hex"])
def test_a_form_in_another_encoding_is_refused_before_it_is_read(charset):
    browser = Client(enforce_csrf_checks=True)
    browser.get("/accounts/login/")
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    answer = browser.generic("POST", "/accounts/login/", b"login=\xff", kind)
    assert answer.status_code == 415
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    part = b'--x\r\nContent-Disposition: form-data; name="login"\r\n\r\na\r\n--x--\r\n'
    assert browser.generic("POST", "/accounts/login/", part, kind).status_code == 415


@pytest.mark.parametrize("charset", ["hex", "idna", "undefined", "utf-16"])
@pytest.mark.parametrize(
    ("method", "address", "kind", "status"),
    [
        ("GET", "/accounts/login/?next=/t/z%C3%BCrich/", "text/plain", 200),
        ("GET", "/api/v1/domains?limit=1", "application/json", 401),
        ("POST", "/accounts/login/?next=/t/z%C3%BCrich/", "multipart/form-data; boundary=x", 415),
    ],
)
def test_an_address_is_read_as_utf_8_whatever_the_request_says_of_its_body(method, address, kind, status, charset):
    environ = RequestFactory().generic(method, address, b"--x--\r\n", CONTENT_TYPE=kind).environ
    answered: list[str] = []
    body = application(
        environ | {"CONTENT_TYPE": f"{kind}; charset={charset}"}, lambda said, headers: answered.append(said)
    )
    text = b"".join(body).decode()
    assert answered[0].startswith(f"{status} ")
    assert status != 200 or "/t/zürich/" in text
