"""What several apps ask people for alike."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from django import forms


def day(help_text: str = "", **more: Any) -> forms.DateField:
    """Return the field `until` of an `UntilForm`."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(**{"label": "Until the end of", "widget": widget, "help_text": help_text, **more})


class UntilForm(forms.Form):
    """Asks until the end of which day something stands: in the customer's time (`zone`).

    Cleaned, `until` is the moment at which that day is over; none where the form asks for no day and none was given.
    """

    def __init__(self, *given: Any, zone: tzinfo, **named: Any) -> None:
        super().__init__(*given, **named)
        self.zone = zone

    def clean_until(self) -> datetime | None:
        """Return the end of the day."""
        if self.cleaned_data["until"] is None:
            return None
        try:
            return datetime.combine(self.cleaned_data["until"] + timedelta(days=1), time.min, tzinfo=self.zone)
        except OverflowError as error:
            raise forms.ValidationError("Choose an earlier day.") from error
