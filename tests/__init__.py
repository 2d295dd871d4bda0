"""The tests: see `docs/` and `tests/conftest.py` for how they meet the database."""
