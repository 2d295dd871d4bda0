"""The forms of comms; the use cases decide, forms only read."""

from typing import Any

from django import forms

from comms.domain.cases import Severity
from comms.domain.letters import LONGEST_NOTE
from comms.services.cases import LONGEST_SUBJECT, LONGEST_TEXT

_LOCAL = "%Y-%m-%dT%H:%M"


class MessageForm(forms.Form):
    """When a message to the end users leaves, and what the customer says in it."""

    due_at = forms.DateTimeField(
        label="It leaves",
        input_formats=[_LOCAL],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL),
    )
    note = forms.CharField(
        label="A word of your own",
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Plain text. It stands under our text, marked as yours.",
    )

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["due_at"].help_text = f"Your local time ({zone})."


class CaseForm(forms.Form):
    """A new case."""

    subject = forms.CharField(label="What is it about?", max_length=LONGEST_SUBJECT)
    severity = forms.ChoiceField(
        label="How much does it stand in your way?",
        choices=[(one.value, one.label) for one in Severity],
        initial=Severity.NORMAL.value,
        widget=forms.RadioSelect,
        help_text="An urgent case keeps the go/no-go shut until it is settled.",
    )
    text = forms.CharField(
        label="What happens, and what did you expect?",
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Please no passwords and no data of your own customers.",
    )


class EntryForm(forms.Form):
    """Something to add to a case."""

    text = forms.CharField(label="Add to this case", max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 4}))
