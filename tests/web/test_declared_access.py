"""Deny by default: every view of ours says who may call it."""

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
