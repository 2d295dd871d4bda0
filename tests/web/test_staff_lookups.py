"""What the address of a staff list may ask: no words, no JSON, no sealed text, bit by bit or whole."""

import pytest
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.urls import reverse

from core.admin import StaffAdmin
from core.permissions import StaffRole
from tests import make

SHAPELESS = (models.JSONField, models.BinaryField, ArrayField)
WORDS = (models.CharField, models.TextField)
WAYS = ("startswith", "contains", "icontains", "gt", "lt", "gte", "range", "in", "length__gt", "regex", "iregex")
INSIDE = ("email__startswith", "0__startswith", "has_key", "contained_by", "key__isnull", "overlap")


def asked_of(*kinds: type[models.Field]) -> list[tuple[StaffAdmin, str]]:
    return [
        (page, field.name)
        for model, page in admin.site._registry.items()
        for field in model._meta.concrete_fields
        if isinstance(field, kinds)
    ]


def may(page: StaffAdmin, lookup: str) -> bool:
    return page.lookup_allowed(lookup, "a")


def test_every_list_of_the_admin_is_the_house_s() -> None:
    assert len(admin.site._registry) > 50
    assert [model for model, page in admin.site._registry.items() if not isinstance(page, StaffAdmin)] == []


def test_no_list_is_filtered_by_what_stands_in_json_in_a_list_or_in_bytes() -> None:
    """`?data__email__startswith=a`, `b`, … would spell an address, letter by letter."""
    found = asked_of(*SHAPELESS)
    assert len(found) > 20
    asked = [
        (page, lookup) for page, name in found for lookup in (name, *(f"{name}__{way}" for way in (*WAYS, *INSIDE)))
    ]
    assert [(str(page), lookup) for page, lookup in asked if may(page, lookup)] == []


def test_no_list_is_filtered_by_a_part_of_words_whether_it_offers_them_as_a_filter_or_not() -> None:
    found = asked_of(*WORDS)
    assert len(found) > 100
    asked = [(page, f"{name}__{way}") for page, name in found for way in WAYS]
    assert [(str(page), lookup) for page, lookup in asked if may(page, lookup)] == []


def test_no_list_is_filtered_by_words_as_a_whole_unless_it_offers_that() -> None:
    offered = {(page, name) for page, name in asked_of(*WORDS) if name in page.list_filter}
    for page, name in asked_of(*WORDS):
        assert may(page, f"{name}__exact") is ((page, name) in offered), (page, name)


def test_a_sealed_text_is_left_out_of_its_page() -> None:
    """Help texts say “sealed” of each; what is sealed is shown to nobody either."""
    sealed = [(page, name) for page, name in asked_of(*WORDS) if "sealed" in name_and_help(page, name)]
    assert len(sealed) >= 3
    assert [(str(page), name) for page, name in sealed if name not in (page.exclude or ())] == []


def name_and_help(page: StaffAdmin, name: str) -> str:
    return f"{name} {page.opts.get_field(name).help_text}".lower()


def test_numbers_moments_and_ids_are_asked_of_as_before() -> None:
    pages = {model._meta.label: page for model, page in admin.site._registry.items()}
    for label, lookup in (
        ("core.Job", "state__exact"),
        ("core.Token", "revoked_at__isempty"),
        ("accounts.Member", "tenant__id__exact"),
        ("backfills.Retry", "run__entity"),
        ("runbooks.Step", "signed_at__isempty"),
    ):
        assert may(pages[label], lookup), lookup


@pytest.mark.django_db
def test_an_address_that_asks_for_json_is_refused(client) -> None:
    client.force_login(make.staff(StaffRole.AUDITOR))
    for lookup in ("finding__outcome__startswith", "finding__contains", "no_such_column__startswith"):
        assert client.get(reverse("admin:comms_case_changelist"), {lookup: "b"}).status_code == 400, lookup
