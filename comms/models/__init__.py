"""The tables of comms."""

from comms.models.cases import Case, CaseEntry
from comms.models.mailings import Delivery, Mailing, Preference
from comms.models.notices import BannerDismissal, StatusUpdate

__all__ = ["BannerDismissal", "Case", "CaseEntry", "Delivery", "Mailing", "Preference", "StatusUpdate"]
