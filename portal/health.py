"""Two questions of whoever runs the portal: does the process live, and may it be sent requests."""

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.web import public_view


@public_view
@never_cache
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process serves; asks nobody else, so that an outage does not restart everything."""
    return HttpResponse("ok", content_type="text/plain")


@public_view
@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when database and cache answer, else 503 with what does not; tells a stranger nothing more."""
    parts = {"database": database_answers(), "cache": cache_answers()}
    return JsonResponse(
        {part: "ok" if well else "unavailable" for part, well in parts.items()},
        status=200 if all(parts.values()) else 503,
    )


def database_answers() -> bool:
    """Whether the database answers us in the role we are meant to have."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user = %s", [settings.DATABASES["default"]["USER"]])
            row = cursor.fetchone()
    except DatabaseError:
        return False
    return bool(row and row[0])


def cache_answers() -> bool:
    """Whether the shared cache answers; rate limits and one-time codes depend on it."""
    try:
        cache.set("readyz", "ok", timeout=5)
        return bool(cache.get("readyz") == "ok")
    except Exception:  # noqa: BLE001 - whatever the cache's client raises, it is not ready
        return False
