"""Provisioning: what a tenant's directory says of its people and groups, and what becomes of it."""
