"""Nothing of one tenant stands in an answer to another: canary words in every text, looked for on every page."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, models, transaction
from django.urls import reverse

from accounts.models import Member
from core.models import TenantModel
from tests import addresses, api, make, worlds
from tests.fakes.dns import FakeDns
from tests.worlds import World

CANARY = "kanarie"

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, fake_dns: type[FakeDns]) -> World:
    return worlds.build(monkeypatch, fake_dns)


def plant(world: World) -> set[str]:
    """Write the canary into every free text of the first tenant's rows; return the columns that took it."""
    taken = set()
    tenant = world.case.owner.tenant
    with make.arranging():
        for model in [*apps.get_models(), type(tenant)]:
            own = {"pk": tenant.pk} if model is type(tenant) else {"tenant_id": tenant.pk}
            if model is not type(tenant) and not issubclass(model, TenantModel):
                continue
            for column in texts(model):
                word = f"{CANARY} {column.name}"[: column.max_length or None]
                try:
                    with transaction.atomic():
                        if model._default_manager.filter(**own).update(**{column.name: word}):
                            taken.add(f"{model._meta.label}.{column.name}")
                except DatabaseError:  # append-only tables, columns under a constraint
                    continue
        for person in Member.objects.filter(tenant=tenant).select_related("user"):
            type(person.user).objects.filter(pk=person.user_id).update(name=f"{CANARY} person")
    return taken


def texts(model: type[models.Model]) -> Iterator[models.Field]:
    """Yield the columns of free text."""
    for column in model._meta.concrete_fields:
        free = (
            type(column) in (models.CharField, models.TextField) and not column.choices and column.name != "time_zone"
        )
        if free and not column.unique and (column.max_length or 1000) >= 40:
            yield column


def pages(world: World, slug: str) -> Iterator[str]:
    """Yield every address of a tenant that can be asked for, with the first tenant's ids in it."""
    for address in addresses.every():
        if not address.route.startswith("t/<slug:slug>/"):
            continue
        ids = {name: world.ids[name] for name in world.ids if f":{name}>" in address.route}
        yield reverse(address.name, kwargs={"slug": slug, **ids})


def test_no_page_of_a_tenant_holds_a_word_of_another(world: World) -> None:
    taken = plant(world)
    assert len(taken) >= 8, taken
    ours = world.case.owner.tenant.slug
    with make.arranging():
        theirs = Member.objects.select_related("tenant").get(user=world.people["other_owner"]).tenant.slug
    own = [address for address in pages(world, ours) if CANARY in body(world, "owner", address)]
    assert len(own) >= 5, own  # the canaries are seen at home, or this test is blind
    leaks = [address for address in ["/", *pages(world, theirs)] if CANARY in body(world, "other_owner", address)]
    assert leaks == []


def body(world: World, role: str, address: str) -> str:
    return whole(world.client(role).get(address)).decode(errors="replace")


def whole(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_no_answer_of_the_api_holds_a_word_of_another(world: World) -> None:
    plant(world)
    with make.arranging():
        theirs = Member.objects.select_related("tenant", "user").get(user=world.people["other_owner"])
    ours, others = api.token(world.case.owner), api.token(theirs)

    def seen(secret: str) -> list[str]:
        answers = {address: whole(api.call("GET", address, secret=secret)) for address in endpoints(world)}
        return [address for address, content in answers.items() if CANARY.encode() in content]

    assert len(seen(ours)) >= 5
    assert seen(others) == []


def endpoints(world: World) -> Iterator[str]:
    """Yield every address of the API that can be read, with the first tenant's ids in it."""
    ids = {**world.ids, "name": "go_no_go"}
    for address in addresses.every():
        if "(?P" not in address.route and "GET" in getattr(getattr(address.view, "view_class", None), "scopes", ()):
            named = re.findall(r"<\w+:(\w+)>", address.route)
            yield reverse(address.name, kwargs={name: ids[name] for name in named})
