"""Deny by default: every view of ours says who may call it."""

from core.tokens import SCOPES
from core.web import ACCESS
from tests import addresses

ADMIN = "admin:"
"""The admin guards its own pages (`core.admin.StaffAdmin`, `secure_admin_login`); the matrix tries each of them."""


def test_every_view_of_ours_declares_its_access():
    undeclared = [
        address.route
        for address in addresses.every()
        if address.ours and not address.name.startswith(ADMIN) and not hasattr(address.view, ACCESS)
    ]
    assert undeclared == []


def test_every_page_of_a_tenant_asks_for_a_tenants_permission():
    wrong = [
        address.route
        for address in addresses.every()
        if address.route.startswith("t/<slug:slug>/")
        and not str(getattr(address.view, ACCESS, "")).startswith("tenant:")
    ]
    assert wrong == []


def test_every_endpoint_of_the_api_asks_for_a_scope():
    found = {
        address.name: str(getattr(address.view, ACCESS, ""))
        for address in addresses.every()
        if address.route.startswith("api/v1/")
    }
    public = {"api:description": "public", "api:no_such_address": "api:"}
    assert {name: access for name, access in found.items() if name in public} == public
    asked = [access.removeprefix("api:").split(",") for name, access in found.items() if name not in public]
    assert [scopes for scopes in asked if not scopes or not set(scopes) <= set(SCOPES)] == []


def test_every_address_of_scim_asks_for_its_scope():
    ours = [address for address in addresses.every() if address.route.startswith("scim/v2/")]
    found = {address.name: getattr(address.view, ACCESS, "") for address in ours}
    assert len(found) >= 14
    assert set(found.values()) == {"api:scim"}
