"""The API's one way in: what every endpoint under `/api/v1/` stands on; each app brings its own in `<app>/api.py`."""

from core.api.paging import PAGING, Cursor, keyset
from core.api.problems import Flaw, Problem
from core.api.schema import item_id, operation
from core.api.serializers import Answer, Body, NoBody, Text
from core.api.views import ApiView, file_of

__all__ = [
    "PAGING",
    "Answer",
    "ApiView",
    "Body",
    "Cursor",
    "Flaw",
    "NoBody",
    "Problem",
    "Text",
    "file_of",
    "item_id",
    "keyset",
    "operation",
]
