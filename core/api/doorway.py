"""The door of what machines call: no cookies pass, and whatever fails around an endpoint is told in its form too."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from core.api import limits, problems, scim
from core.api.problems import Problem
from core.api.scim import ScimView
from core.api.views import ApiView


def _as_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    return problems.respond(problem, request=request)


def _as_scim(problem: Problem, request: HttpRequest) -> HttpResponse:
    return scim.respond(problem)


class Doorway:
    """Middleware: machines come by token alone, and read errors in the form of what they called."""

    DOORS = (
        ("/api/v1/", problems.MEDIA_TYPE, _as_problem, ApiView),
        (scim.PREFIX, scim.MEDIA_TYPE, _as_scim, ScimView),
    )

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Take the cookies away from a machine's request, and put its errors into their form."""
        door = next((each for each in self.DOORS if request.path_info.startswith(each[0])), None)
        if door is None:
            return self.get_response(request)
        _, media_type, respond, view = door
        request.META.pop("HTTP_COOKIE", None)
        response = self.get_response(request)
        if response.status_code < 400 or response.headers.get("Content-Type") == media_type:
            return response
        answer = respond(problems.of_status(response.status_code), request)
        for name, value in limits.headers(None, quota=view.quota()).items():
            answer.headers[name] = value
        return answer
