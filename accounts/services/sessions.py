"""Ending the sessions of somebody who is to be out at once."""

from uuid import UUID

from allauth.usersessions.models import UserSession

from core.actor import Actor


def end(*, user_id: UUID, by: Actor) -> None:
    """Sign a person out everywhere, inside the caller's transaction; who does it to themselves stays where they are.

    A session is a person's and not an account's: somebody of several accounts signs in anew for the others.
    """
    for session in UserSession.objects.filter(user=user_id).exclude(user=by.id):
        session.end()
