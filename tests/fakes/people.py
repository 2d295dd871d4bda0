"""The people of both platforms, in memory, held to its word by `tests/contract/test_people.py`."""

from collections.abc import Sequence
from uuid import UUID

from core import ports, tenancy
from core.people import Person


class FakePeople:
    """Answers from `legacy` and `new`, which a test fills by tenant; after `answers` more answers it is away."""

    legacy: dict[str, list[Person]] = {}
    new: dict[UUID, list[Person]] = {}
    answers: int | None = None
    asked = 0

    @classmethod
    def reset(cls) -> None:
        """Forget everything."""
        cls.legacy, cls.new, cls.answers, cls.asked = {}, {}, None, 0

    def of_legacy(self, *, tenant_ref: str, after: str | None, limit: int) -> Sequence[Person]:
        """Answer as `core.ports.People` promises."""
        return self._page(self.legacy.get(tenant_ref, []), after, limit)

    def of_new(self, *, account_id: UUID, after: str | None, limit: int) -> Sequence[Person]:
        """Answer as `core.ports.People` promises."""
        return self._page(self.new.get(account_id, []), after, limit)

    @classmethod
    def _page(cls, people: list[Person], after: str | None, limit: int) -> Sequence[Person]:
        tenancy.forbid_transaction("Talking to a platform")
        cls.asked += 1
        if cls.answers is not None and cls.asked > cls.answers:
            raise ports.Unavailable("The platform does not answer.")
        keys = [person.key for person in people]
        begin = 0 if after is None else keys.index(after) + 1
        return people[begin : begin + limit]
