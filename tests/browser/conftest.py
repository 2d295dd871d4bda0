"""The former place of `tests.browsing`, for tests that still ask here."""

from tests.browsing import Visits, check_page

__all__ = ["Visits", "check_page"]
