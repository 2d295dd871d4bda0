"""One session, signed out from afar; the list and "all others" are allauth's."""

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from core.web import account_view


@require_POST
@account_view
def end(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign out one session of this person; the one they are in is left by signing out."""
    session = get_object_or_404(UserSession, pk=session_id, user_id=request.user.pk)
    if session.is_current():
        return redirect("account_logout")
    session.end()
    messages.success(request, "That session is signed out.")
    return redirect("usersessions_list")
