"""Provisioning: keeping what a directory sends, and doing to members what follows from it."""
