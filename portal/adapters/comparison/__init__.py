"""The comparison of two platforms in DuckDB.

`platforms` reads each kind of platform, `duck` holds the session, `typed` the values, `expectation` what the mapping
promises, `reading` one segment, and `engine` the port. All SQL is put together from names and texts that `quoting`
quoted.
"""

from portal.adapters.comparison.engine import DuckComparison

__all__ = ["DuckComparison"]
