"""The forms of cutover; the use cases decide, forms only read."""

from typing import Any

from django import forms

_LOCAL = "%Y-%m-%dT%H:%M"


def _moment(label: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL)
    return forms.DateTimeField(label=label, input_formats=[_LOCAL], widget=widget)


class WindowForm(forms.Form):
    """When the account moves, in the tenant's own time zone."""

    starts_at = _moment("The window starts")
    ends_at = _moment("The window ends")

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.help_text = f"Your local time ({zone})."


class ApproverForm(forms.Form):
    """Who signs for the customer."""

    member = forms.TypedChoiceField(
        label="Approver",
        required=False,
        empty_value=None,
        help_text="Owners, admins and auditors can be named, because they may read the evidence.",
    )

    def __init__(self, *args: Any, members: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["member"].choices = [("", "Any owner of this account"), *members]  # type: ignore[attr-defined]  # a choice field


class VetoForm(forms.Form):
    """Why the customer says no."""

    reason = forms.CharField(
        label="Why do you say no?",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Everyone involved reads this, and it is kept with the request.",
    )
