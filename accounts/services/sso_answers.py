"""What a provider's answer is for: a test of an admin's, or somebody's sign-in. One address takes both."""

from datetime import datetime
from uuid import UUID

from accounts.models import SsoConnection, SsoSignIn, SsoTest
from accounts.services import sso_sign_ins, sso_tests
from accounts.services.sso_messages import UnableToAnswer, hear
from core.actor import Actor


def take(
    *, connection_id: UUID, tenant_id: UUID, message: str, relay_state: str, by: Actor, at: datetime
) -> SsoTest | SsoSignIn:
    """Judge what a browser brought from the provider, for whichever of ours it answers. Makes no session.

    What answers nothing of ours is refused and leaves nothing: nobody signs in at the provider's idea alone.
    """
    connection = SsoConnection.objects.get(pk=connection_id, tenant_id=tenant_id)
    heard = hear(connection=connection, message=message, relay_state=relay_state)
    asked = heard.asked()
    if isinstance(asked, SsoTest):
        return sso_tests.judge_answer(heard, test=asked, by=by, at=at)
    if isinstance(asked, SsoSignIn):
        return sso_sign_ins.judge_answer(heard, sign_in=asked, by=by, at=at)
    raise UnableToAnswer(
        "We did not ask for this sign-in.",
        fix="Nobody was signed in. Start at our sign-in page, not at your provider's list of applications.",
    )
