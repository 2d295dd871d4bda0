"""The comparison of two PostgreSQL platforms in DuckDB.

`duck` holds the session, `typed` the values, `expectation` what the mapping promises, `reading` one segment, and
`engine` the port. All SQL is put together from names quoted by `duck.name` and texts quoted by `duck.text`.
"""

from portal.adapters.comparison.engine import DuckComparison

__all__ = ["DuckComparison"]
