"""Buggy code: a query without any filter, wherever it runs, returns one tenant's rows; as superuser it leaks."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path

from accounts.models import Member, Tenant
from core import queue, tenancy
from core.models import LedgerEntry
from core.permissions import Permission
from core.queue import TASKS, Scope
from core.web import account_view, public_view, staff_view, tenant_view
from portal.urls import urlpatterns
from tests import make
from tests.control import control

UNFILTERED = "SELECT t.name, m.role FROM accounts_member m JOIN accounts_tenant t ON t.id = m.tenant_id"

found: list[set[str]] = []
"""What the buggy task and command saw."""


def everything() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(UNFILTERED)
        return {row[0] for row in cursor.fetchall()}


@tenant_view(Permission.VIEW_TENANT)
def in_view(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    return JsonResponse(sorted(everything()), safe=False)


@tenant_view(Permission.VIEW_TENANT)
def in_lazy_template(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    return TemplateResponse(request, "refused.html", {"problem": SimpleNamespace(message=Lazily())})


class Lazily:
    def __str__(self) -> str:
        return "found:" + ",".join(sorted(everything()))


@tenant_view(Permission.VIEW_TENANT)
def in_stream(request: HttpRequest, tenant: Tenant) -> StreamingHttpResponse:
    def body() -> Iterator[str]:
        yield from sorted(everything())
        yield from sorted(Member.objects.values_list("tenant__name", flat=True).iterator())

    return StreamingHttpResponse(body())


@staff_view(Permission.VIEW_PROGRAMME, reason="a test")
def in_staff_stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(name for name in sorted(everything()))


@public_view
def in_public(request: HttpRequest) -> HttpResponse:
    return JsonResponse(sorted(everything()), safe=False)


@account_view
def in_account(request: HttpRequest) -> HttpResponse:
    return JsonResponse(sorted(everything()), safe=False)


@public_view
def fails(request: HttpRequest) -> HttpResponse:
    raise LookupError


def in_task(**_: Any) -> None:
    found.append(everything())


class Buggy(BaseCommand):
    def handle(self, *_: Any, **options: Any) -> None:
        found.append(everything())


@pytest.fixture(autouse=True)
def addresses(settings) -> None:
    settings.ROOT_URLCONF = (
        *urlpatterns,
        path("t/<slug:slug>/buggy/view/", in_view),
        path("t/<slug:slug>/buggy/template/", in_lazy_template),
        path("t/<slug:slug>/buggy/stream/", in_stream),
        path("buggy/staff/", in_staff_stream),
        path("buggy/public/", in_public),
        path("buggy/account/", in_account),
        path("buggy/fails/", fails),
    )


@pytest.fixture
def tasks(monkeypatch) -> None:
    monkeypatch.setattr(TASKS, "_items", dict(TASKS.items()))
    queue.task(scope=Scope.TENANT)(in_task)
    found.clear()


@pytest.fixture(scope="module")
def two(module_db) -> tuple[Member, Member]:
    members = make.member(make.tenant("Ours", slug="ours")), make.member(make.tenant("Theirs", slug="theirs"))
    leaked = {row[0] for row in control(UNFILTERED)}
    assert leaked == {"Ours", "Theirs"}, "the same query must leak as superuser, or this test is blind"
    return members


@pytest.mark.parametrize("mine", [0, 1])
def test_in_a_request(client, two, mine):
    client.force_login(two[mine].user)
    slug, name = (("ours", "Ours"), ("theirs", "Theirs"))[mine]
    assert json.loads(client.get(f"/t/{slug}/buggy/view/").content) == [name]


def test_in_a_template_rendered_after_the_view(client, two):
    client.force_login(two[0].user)
    page = client.get("/t/ours/buggy/template/").content.decode()
    assert "found:Ours" in page
    assert "Theirs" not in page


def test_in_a_streamed_body(client, two):
    client.force_login(two[0].user)
    response = client.get("/t/ours/buggy/stream/")
    assert tenancy.current() == tenancy.EMPTY
    assert everything() == set(), "the request is over and its scope with it"
    assert list(response) == [b"Ours", b"Ours"]
    assert everything() == set()


def test_in_a_streamed_body_that_nobody_reads_to_the_end(client, two):
    client.force_login(two[0].user)
    response = client.get("/t/ours/buggy/stream/")
    assert next(iter(response)) == b"Ours"
    response.close()
    assert everything() == set()


def test_two_streams_read_by_turns_keep_apart(client, two):
    client.force_login(two[0].user)
    ours = iter(client.get("/t/ours/buggy/stream/"))
    client.force_login(two[1].user)
    theirs = iter(client.get("/t/theirs/buggy/stream/"))
    assert [next(ours), next(theirs), next(ours), next(theirs)] == [b"Ours", b"Theirs", b"Ours", b"Theirs"]


def test_in_a_staff_members_stream(client, two):
    client.force_login(make.staff("cs"))
    assert list(client.get("/buggy/staff/")) == [b"Ours", b"Theirs"]


@pytest.mark.parametrize("address", ["/buggy/public/", "/buggy/account/"])
def test_in_a_view_without_a_tenant(client, two, address):
    client.force_login(two[0].user)
    assert json.loads(client.get(address).content) == []


@pytest.mark.parametrize("address", ["/t/theirs/buggy/view/", "/t/nobodys/buggy/view/", "/t/theirs/buggy/stream/"])
def test_a_strangers_request_is_not_found(client, two, address):
    client.force_login(two[0].user)
    assert client.get(address).status_code == 404


def test_a_request_leaves_no_scope_behind(client, two):
    client.force_login(two[0].user)
    client.get("/t/ours/buggy/view/")
    assert everything() == set()
    assert tenancy.current() == tenancy.EMPTY


def test_a_request_that_fails_leaves_no_scope_behind(client, two):
    client.raise_request_exception = False
    with tenancy.scope(tenant_id=two[0].tenant_id):
        client.get("/buggy/fails/")
        assert json.loads(client.get("/buggy/public/").content) == [], "a request never inherits a scope"
    assert everything() == set()


def test_in_a_task(two, tasks):
    for member in two:
        with tenancy.scope(tenant_id=member.tenant_id):
            queue.enqueue(f"{__name__}.in_task", tenant_id=member.tenant_id)
    assert queue.run_pending() == 2
    assert sorted(found, key=sorted) == [{"Ours"}, {"Theirs"}]
    assert everything() == set()


def test_a_tenants_task_without_a_tenant_is_refused(two, tasks):
    with pytest.raises(ValueError, match="with a tenant"):
        queue.enqueue(f"{__name__}.in_task")


def test_in_a_command(two):
    found.clear()
    call_command(Buggy())
    with tenancy.scope(tenant_id=two[1].tenant_id):
        call_command(Buggy())
    assert found == [set(), {"Theirs"}]


def test_the_admin_is_a_staff_scope_and_its_page_the_reason(client, two):
    with make.arranging():
        opened = LedgerEntry.objects.filter(event="core.staff_scope.opened").order_by("seq")
        before = opened.count()
    client.force_login(two[0].user)
    client.get("/admin/")
    client.force_login(make.staff("cs"))
    client.get("/admin/")
    with make.arranging():
        reasons = opened.values_list("data", flat=True)[before:]
        assert list(reasons) == [{"reason": "GET admin:index"}], "the vendor's people only, and audited"
    assert everything() == set()
