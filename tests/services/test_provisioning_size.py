"""Groups as large as they may be: read, replaced and patched as one, and refused where they are larger."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.domain.provisioning.membership import MOST
from accounts.models import Member, ProvisionedUser
from accounts.queries.provisioning import listing
from core.permissions import TenantRole
from tests import make
from tests.scim import GROUP, Directory

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def directory(db: None) -> Directory:
    return Directory(make.member(make.tenant(), TenantRole.OWNER))


def people(directory: Directory, count: int) -> list[str]:
    """Let the directory have sent so many people."""
    with make.arranging():
        tenant = Member.objects.get().tenant_id
        at = timezone.now()
        rows = ProvisionedUser.objects.bulk_create(
            ProvisionedUser(
                tenant_id=tenant, name_key=f"u{number}", resource={"userName": f"u{number}"}, created_at=at,
                modified_at=at,
            )
            for number in range(count)
        )  # fmt: skip
    return [str(row.pk) for row in rows]


def as_directories_send(ids: list[str]) -> list[dict[str, Any]]:
    where = "https://crossing.example/scim/v2/Users/"
    return [{"value": ident, "$ref": where + ident, "display": "Somebody With A Name", "type": "User"} for ident in ids]


def test_the_largest_group_is_replaced_and_patched_and_a_larger_one_is_refused(directory: Directory) -> None:
    ids = people(directory, MOST + 1)
    whole = {"schemas": [GROUP], "displayName": "Everybody", "members": as_directories_send(ids[:MOST])}
    where = f"Groups/{directory.told('POST', 'Groups', whole, status=201)['id']}"

    def inside() -> set[str]:
        return {each["value"] for each in directory.told("GET", where).get("members", ())}

    assert inside() == set(ids[:MOST])
    more = directory.patch(where, {"op": "add", "path": "members", "value": [{"value": ids[MOST]}]}, status=400)
    assert f"at most {MOST:,}" in more["detail"]
    told = directory.told("PUT", where, {**whole, "members": as_directories_send(ids)}, status=400)
    assert f"at most {MOST:,}" in told["detail"]
    assert inside() == set(ids[:MOST]), "what is refused changes nothing"
    one_by_one = [{"op": "remove", "path": f'members[value eq "{ident}"]'} for ident in ids[:1_000]]
    directory.patch(where, *one_by_one)
    as_entra = [{"$ref": None, "value": ident} for ident in ids[1_000:2_000]]
    directory.patch(where, {"op": "Remove", "path": "members", "value": as_entra})
    assert inside() == set(ids[2_000:MOST])
    directory.patch(where, {"op": "Add", "path": "members", "value": [{"value": ident} for ident in ids[:2_000]]})
    assert inside() == set(ids[:MOST])
    too_many = [{"op": "remove", "path": f'members[value eq "{ident}"]'} for ident in ids]
    assert "at most" in directory.patch(where, *too_many, status=400)["detail"]
    told = directory.told("PUT", where, {**whole, "members": [{"value": ids[0]}]})
    assert [each["value"] for each in told["members"]] == ids[:1]


def test_a_page_of_large_groups_holds_no_more_people_than_one_group_may(directory: Directory, monkeypatch: Any) -> None:
    ids = people(directory, 3)
    for name in ("One", "Two", "Three"):
        directory.group(name, *ids)
    monkeypatch.setattr(listing, "MOST_MEMBERSHIPS", 6)
    page = directory.told("GET", "Groups")
    assert (page["totalResults"], page["itemsPerPage"]) == (3, 2)
    rest = directory.told("GET", "Groups?startIndex=3")
    assert [each["displayName"] for each in rest["Resources"]] == ["Three"]
    assert directory.told("GET", "Groups?excludedAttributes=members")["itemsPerPage"] == 3
    monkeypatch.setattr(listing, "MOST_MEMBERSHIPS", 1)
    assert directory.told("GET", "Groups")["itemsPerPage"] == 1, "one at least, or nobody gets on"
