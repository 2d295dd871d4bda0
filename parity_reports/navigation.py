"""The pages of parity reports in a tenant's sidebar."""

from core.navigation import Entry, Section, add
from core.permissions import Permission

add(
    Entry(
        id="parity",
        label="Parity",
        url="parity_reports:history",
        icon="file-check",
        permission=Permission.VIEW_PARITY,
        section=Section.DATA,
        order=50,
        words="compare comparison report difference invariants records drift changed since shadow reads latency",
    )
)
add(
    Entry(
        id="what_changed",
        label="What changed",
        url="parity_reports:what_changed",
        icon="book-open",
        permission=Permission.VIEW_TENANT,
        section=Section.PEOPLE,
        order=90,
        words="guides workflows help new old faq training parity matrix",
    )
)
