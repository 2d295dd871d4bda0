"""Error pages: what happened, what to do, and nothing of what lies behind."""

import pytest
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from django.test import Client, override_settings
from django.urls import path

from core.errors import UseCaseError
from core.web import public_view
from portal.urls import urlpatterns as every
from tests import make


@public_view
def crash(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("password=hunter2")


@public_view
def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation("password=hunter2")


@public_view
def refuse(request: HttpRequest) -> HttpResponse:
    raise UseCaseError("The record is not visible yet.", fix="Wait an hour.")


urlpatterns = [
    *every,
    path("crash/", crash),
    path("suspicious/", suspicious),
    path("refuse/", refuse),
]


@pytest.fixture
def browser() -> Client:
    """A client that shows what a person would see, checks for forgery included."""
    return Client(raise_request_exception=False, enforce_csrf_checks=True)


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/crash/", 500, "Something went wrong on our side"),
        ("/suspicious/", 400, "could not be understood"),
        ("/nowhere/", 404, "There is nothing here"),
        ("/refuse/", 422, "The record is not visible yet."),
    ],
)
def test_an_error_has_its_page(browser: Client, db: None, address: str, status: int, words: str) -> None:
    with override_settings(ROOT_URLCONF=__name__, DEBUG=False):
        response = browser.get(address)
    page = response.content.decode()
    assert response.status_code == status
    assert words in page
    assert page.count("<h1") == 1
    assert "hunter2" not in page
    assert "Traceback" not in page


def test_a_refusal_says_what_to_do(browser: Client, db: None) -> None:
    with override_settings(ROOT_URLCONF=__name__):
        assert "Wait an hour." in browser.get("/refuse/").content.decode()


def test_a_forged_form_is_explained(browser: Client, db: None) -> None:
    response = browser.post("/accounts/login/", {"login": "a@jetblue.example"})
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


def test_the_page_of_a_crash_needs_neither_request_nor_database() -> None:
    assert "<h1>" in get_template("500.html").render()


def test_somebody_without_an_account_is_told_how_to_get_one(client: Client, db: None) -> None:
    client.force_login(make.user())
    assert "invite this address" in client.get("/").content.decode()


def test_the_front_door_leads_on(client: Client, db: None) -> None:
    assert client.get("/").headers["Location"].startswith("/accounts/login/")
    member = make.member(make.tenant(slug="jetblue"))
    client.force_login(member.user)
    assert client.get("/").headers["Location"] == "/t/jetblue/"
    make.member(make.tenant("Virgin America"), person=member.user)
    assert "Virgin America" in client.get("/").content.decode()
    client.force_login(make.staff("cs"))
    assert client.get("/").headers["Location"] == "/admin/"
