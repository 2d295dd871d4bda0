"""Compliance in the sidebar."""

from core.navigation import Entry, Section, add
from core.permissions import Permission

add(
    Entry(
        id="compliance.promises",
        label="Promises",
        url="compliance:promises",
        icon="scale",
        permission=Permission.VIEW_OBLIGATIONS,
        section=Section.RECORDS,
        order=20,
        words="obligations contract legal privacy retention residency deletion attestation evidence audit",
    )
)
