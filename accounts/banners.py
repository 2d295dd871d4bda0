"""What every page says while how people sign in is about to change, or is cut back."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from accounts.domain.enforcement import State
from accounts.queries import enforcement
from core.banners import Banner, banners


@banners
def sign_in(*, tenant_id: UUID, at: datetime) -> Iterable[Banner]:
    """Count down to the company's sign-in, and say while passwords count for some hours."""
    standing = enforcement.standing(tenant_id=tenant_id, at=at)
    match standing.state(at=at):
        case State.ANNOUNCED:
            return [
                Banner(
                    id=f"accounts.announced:{standing.takes_effect_at:%Y%m%dT%H%M}",
                    title="Soon you sign in by your company alone",
                    text="A password will open nothing here any more. Try your company's sign-in before then.",
                    state="info",
                    link="sso/enforcement/",
                    action="See from when",
                    starts_at=standing.takes_effect_at,
                    ends_at=standing.expires_at,
                    dismissible=True,
                )
            ]
        case State.CUT_BACK:
            return [
                Banner(
                    id=f"accounts.cutback:{standing.cutback_ends_at:%Y%m%dT%H%M}",
                    title="Passwords sign you in for some hours",
                    text="Your company's sign-in has trouble. It counts alone again when this ends, by itself.",
                    state="warn",
                    link="sso/enforcement/",
                    action="See why",
                    starts_at=standing.cutback_starts_at,
                    ends_at=standing.cutback_ends_at,
                )
            ]
    return []
