"""Tenants, members, roles; domains and sign-in."""
