"""Verified fakes: each passes the contract suite of the adapter it stands for."""
