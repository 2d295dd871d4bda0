"""What is asked about the pace of a tenant's runs, of customers and of staff."""

from datetime import timedelta

from django import forms

from backfills.models.pace import EVERY
from backfills.queries.standing import LONGEST
from backfills.services.standing import FASTEST
from core.forms import UntilForm, day

USUAL = timedelta(days=14)
_CHOICES = [(minutes, f"{minutes} minute{'' if minutes == 1 else 's'}") for minutes in (1, 2, 3, 5, 10, 15)]


class StandingForm(UntilForm):
    """How often what changed is brought over, and until when, in the customer's time."""

    every = forms.TypedChoiceField(
        label="Every",
        choices=_CHOICES,
        coerce=int,
        initial=EVERY,
        help_text="With 3 minutes or less, what changes in legacy usually arrives within 5.",
    )
    until = day(help_text=f"At most {LONGEST.days} days from now.")


class LimitForm(forms.Form):
    """How many rows per second runs may move at most."""

    rows_per_second = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=FASTEST,
        help_text="The customer reads it. Leave it empty to let the runs go as fast as they can.",
    )
