"""What every request passes through."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase


class TenantContext:
    """Begin every request without a tenant."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)
