"""For how long the old secret stays valid where one takes another's place: a token's, or an endpoint's."""

from datetime import timedelta
from typing import Any

from django import forms

OVERLAPS = (("0", "At once"), ("1", "In an hour"), ("24", "In 24 hours"), ("168", "In 7 days"))


class _Form(forms.Form):
    hours = forms.ChoiceField(choices=OVERLAPS)


def read(data: Any) -> timedelta:
    """Return the overlap that was chosen; for what nobody could choose one below zero, which use cases refuse."""
    form = _Form(data)
    return timedelta(hours=int(form.cleaned_data["hours"]) if form.is_valid() else -1)
