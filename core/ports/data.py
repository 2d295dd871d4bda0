"""The two platforms as data: what is read, judged, moved, compared, summed and repaired."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from core.comparison import Checksums, Difference, Findings, Looked, Measures, Plan, Segment, Survey
from core.inspecting import Inspected
from core.moving import LoadOrder, Origin, Preserved, RunPosition, SourceKeys, SourceRows, Trace
from core.reconciling import Foreseen, Outcome, Repair
from core.shadowing import Answer, Read

type Committing = Callable[[], AbstractContextManager[object]]


class LegacyPlatform(Protocol):
    """The platform that customers leave; Crossing only reads it."""

    def version(self, *, spec: Any) -> str:
        """Name the state that an entity's source is in, where that stands from one writing of it to the next: a file.

        '' for a server, whose rows change at any time. `spec` is a `backfills.domain.spec.Spec` (the floor knows no
        app). What `read` and `keys` return names the state that it was read from.
        """

    def count(self, *, spec: Any, tenant_ref: str) -> int:
        """Count a tenant's objects of an entity; raises Rejected for rows that no key tells apart."""

    def keys(self, *, spec: Any, tenant_ref: str) -> SourceKeys:
        """Tell which objects there are by one reading of all their keys, as text."""

    def divide(self, *, spec: Any, tenant_ref: str, parts: int) -> tuple[str, ...]:
        """Return the keys that divide the rows into at most so many ranges of about one size; each ends its range."""

    def read(
        self,
        *,
        spec: Any,
        tenant_ref: str,
        after: str | None,
        limit: int,
        until: str | None = None,
        since: datetime | None = None,
        also: Sequence[str] = (),
        named: Mapping[str, Sequence[str]] | None = None,
    ) -> SourceRows:
        """Read the next rows in key order (bytewise): after a key, until a key (it included), at most `limit`.

        With `since`, of these only what changed since then or does not tell when, the rows with the keys `also`, and
        those that name one of the keys `named` of another entity, told by look-up (`backfills.domain.naming`).
        Raises Rejected where the next row has the last one's key: nobody who reads on behind that would see it.
        """

    def watermark(self, *, spec: Any, tenant_ref: str) -> datetime | None:
        """Tell up to when the source tells of changes, by the platform's own clock: for a server, now.

        Where the server tells which transactions are open, no later than the oldest of them began: what it changes
        carries that time, and is seen when it ends. For a file, the last change that it tells of; None where it tells
        of none.
        """

    def blind_spot(self, *, spec: Any) -> str:
        """Say why the watermark may pass what a long transaction changes, fit for the customer; '' where it cannot."""

    def as_of(self, *, spec: Any, tenant_ref: str) -> datetime | None:
        """Tell as of when a file holds everything that legacy held, as its spec says (`source.exported`).

        Never later than the file itself. None where it does not say, and for a server.
        """

    def held(self, *, spec: Any, tenant_ref: str, since: datetime) -> Iterator[bytes]:
        """Read all keys, as text in COPY's format, each with whether its row changed since (t or f); in pieces."""

    def read_keys(self, *, spec: Any, tenant_ref: str, keys: Sequence[str]) -> SourceRows:
        """Read the rows with these keys that (still) exist, in key order."""


class DataMover(Protocol):
    """The loading side of the new platform.

    A run's stage, outcomes, dead letters and checkpoint live there too, so that a batch is one transaction: after
    a kill at any instruction the run goes on from its last whole batch and ends with the same rows and totals.
    """

    def open_run(self, *, order: LoadOrder, source_total: int, borders: Sequence[str] = ()) -> RunPosition:
        """Give the run its place and load the spec's supplements; a run that has one keeps it.

        `borders` divide its keys into ranges that may move side by side. Where the account has rows of the entity
        already, or rows merge, it is one range all the same: what a row becomes then depends on those before it.
        """

    def load(
        self,
        *,
        order: LoadOrder,
        read: Callable[[str | None, str | None], SourceRows],
        after_batch: int = 0,
        committing: Committing = nullcontext,
    ) -> RunPosition:
        """Move one batch of a range that nobody else is at, all or nothing, checkpoint included.

        `read(after, until)` reads it; fewer rows than the spec's batch end the range. Where others are at all that is
        left, this waits for one of them. Answers with every batch after `after_batch`. `committing()` is entered once
        all is written and left once it is committed; what that raises takes everything back.
        """

    def retry(
        self, *, order: LoadOrder, keys: Sequence[str], rows: SourceRows, committing: Committing = nullcontext
    ) -> RunPosition:
        """Judge rejected rows, or `unread` ones, again; a key among `keys` without row is gone from legacy.

        It commits inside `committing()`, as `load` does.
        """

    def unread(self, *, order: LoadOrder) -> Sequence[str]:
        """Return the keys of rows to which merged objects were left, and whose values no run has brought yet.

        They are left to the row that comes next once the one that they were made of is gone.
        """

    def finish(
        self,
        *,
        order: LoadOrder,
        source: SourceKeys,
        held: Callable[[], Iterator[bytes]] | None = None,
        committing: Committing = nullcontext,
    ) -> RunPosition:
        """Remove what legacy no longer has, and close the run if just the rows of `source` are accounted for.

        It commits inside `committing()`, as `load` does.

        Where the order preserves, what would be removed is held instead, and so is what came from a row that the spec's
        rule for held objects let move (`Spec.held_by`). The first run that ends without either removes it.

        Raises Rejected, with the figures, when source and outcomes differ in number (the database refuses such a
        success too) or, as many as they are, in their keys.

        A catch-up has not met every row: where other rows than those of `source` are accounted for, `held()` is read,
        `LegacyPlatform.held` as it is now. Rows that are new there and not met are the next catch-up's if they changed
        so late that it reads them; else Rejected is raised. The position tells the rows that are accounted for as
        `source_total`.
        """

    def position(self, *, order: LoadOrder, after_batch: int = 0) -> RunPosition:
        """Tell how far the run is, with its batches (and their dead letters) after a number."""

    def touched(self, *, order: LoadOrder) -> Mapping[str, Sequence[str]] | None:
        """Tell which rows here that the entity looks up came, changed in what is looked up, or went: look-up → keys.

        Since the last run that accounted for all of the entity's rows began, until this one began, if it has. What a
        run, a retry or a catch-up wrote counts; what merely came is left out where no row can have moved without it
        (`naming.is_guarded`). Of each look-up at most one key more than a batch. None where it is not known.
        """

    def trace(self, *, account_id: UUID, entity: str, system: str, key: str) -> Trace | None:
        """Tell where one row ended, by its key in legacy or by its object's key here; None: no run has met it.

        Of an object that is held, this tells by what.
        """

    def origins(
        self, *, account_id: UUID, spec: Any, keys: Sequence[str], read: Callable[[Sequence[str]], SourceRows]
    ) -> Mapping[str, Origin]:
        """Tell where objects came from, by their keys here; `read` reads rows as they now are. Unmoved: absent."""

    def ended(
        self, *, account_id: UUID, entity: str, system: str, fate: str, rule: str, skip: int, limit: int
    ) -> tuple[str, ...]:
        """Return keys in legacy of rows that ended so, in the order of their bytes, after skipping some.

        For the fate `HELD`: the keys here of objects that are held, by a rule, or by whatever for none.

        Meant for a person who looks: it gives up after seconds, with Unavailable.
        """

    def preserved(self, *, account_id: UUID) -> Iterator[Preserved]:
        """Read what was copied before runs wrote over it under a legal hold, the oldest copy first, a few at a time.

        Raises Unavailable, also half-way, and Rejected for a copy that no key at hand opens.
        """

    def empty_letters(self, *, account_id: UUID, before: datetime, committing: Committing = nullcontext) -> int:
        """Delete the copies of rejected rows that were judged last before a moment; return how many. Safe to repeat.

        All else that is known of the rows stays. It commits inside `committing()`, as `load` does.
        """

    def staged(self, *, account_id: UUID) -> Mapping[str, int]:
        """Count an account's rows in each table of Crossing's own place there; provenance is none of them."""

    def forget(self, *, account_id: UUID, committing: Committing = nullcontext) -> Mapping[str, int]:
        """Delete those rows, all or nothing, and return what a fresh count finds afterwards. Safe to repeat.

        The account's data and where they came from stay; a later run begins anew. It commits inside `committing()`, as
        `load` does.
        """


class InspectionSession(Protocol):
    """One pass over a tenant's rows, an entity after those it refers to; look-ups find what the pass has judged."""

    def judge(self, *, spec: Any, rows: SourceRows) -> None:
        """Judge an entity's next rows, in key order; no row, whatever it holds, makes this fail.

        Raises Rejected where two of them have one key: such rows cannot be told apart, and no run could move them.
        """
        ...

    def finish(self, *, spec: Any) -> Inspected:
        """Tell what became of all rows of an entity."""
        ...


class Inspector(Protocol):
    """Judges rows by the mapping as a run would, and changes nothing that outlives the session."""

    def session(self, *, specs: Mapping[str, Any], account_id: UUID) -> AbstractContextManager[InspectionSession]:
        """Begin a pass with the mapping's specs; what would be written is told against the account's objects."""
        ...


class Comparison(Protocol):
    """An engine that compares the legacy platform's raw rows, mapped as promised, with the new platform's."""

    def divide(self, plan: Plan, *, size: int) -> tuple[Segment, ...]:
        """Divide an entity into segments of about `size` records; at least one."""
        ...

    def compare(self, plan: Plan, *, segment: Segment, report: Callable[[Difference], None]) -> Findings:
        """Compare one segment; each record that differs goes to `report`. Raises rather than answer in part."""
        ...

    def survey(self, plan: Plan) -> Survey:
        """Say how much there is to compare, without reading it."""

    def recheck(self, plan: Plan, *, report: Callable[[Difference], None]) -> Findings:
        """Compare an entity as `compare` does, at least cost; unless `Findings.exact`, equal records by digests."""

    def look(self, plan: Plan, *, mark: str, report: Callable[[Difference], None]) -> Looked:
        """Tell every record that differs now, reading only what was written since a mark, where one holds.

        Any text may be given as the mark: what is none, or holds no longer, makes everything be read.
        """
        ...

    def measure(self, plan: Plan) -> Measures:
        """Count on the platforms' own servers, apart from any comparison."""
        ...


class ShadowReader(Protocol):
    """Whoever makes the reads that people make, of both platforms at one time, so that their answers compare."""

    def draw(self, plan: Plan, *, seed: str, wanted: int) -> tuple[str, ...]:
        """Draw so many records by a hash of their keys in legacy, which are returned as text.

        Each record is drawn as likely as any other, and the same ones under the same seed.
        """
        ...

    def ask(self, plan: Plan, *, read: Read, keys: Sequence[str]) -> tuple[Answer, ...]:
        """Make a read for each of these records of legacy, one after the other, and compare the answers.

        Both are judged as `Comparison` judges: legacy's answer mapped as promised. Answers that differ are read again
        after a while before they are reported; records that a list shares are asked for once, for the first of them.
        Raises Rejected for an entity that cannot be read so, and Unavailable rather than answer in part.
        """
        ...


class Checksummer(Protocol):
    """Whoever sums what the new platform holds, so that the customer can check it against an export."""

    def sum(self, plan: Plan, *, code: str, buckets: int) -> Checksums:
        """Return the checksums of an entity from one snapshot; `code` is part of every record that is digested.

        Raises Rejected for a platform or a value that has no canonical encoding.
        """
        ...


class Reconciler(Protocol):
    """The repairing side of the new platform: single objects, each change all or nothing and undoable for a time."""

    def marks(self, *, account_id: UUID, spec: Any, keys: Sequence[str]) -> Mapping[str, str]:
        """Return a mark of each object as it stands; empty for one that is not there. It moves when any column does."""
        ...

    def foresee(self, batch: Repair) -> Mapping[str, Foreseen]:
        """Say what `repair` would make of each object, by doing it and taking it back."""
        ...

    def repair(self, batch: Repair, *, committing: Committing = nullcontext) -> Mapping[str, Outcome]:
        """Make each object what its source row says, in one transaction, and keep its former state. Safe to repeat.

        It commits inside `committing()`, as `DataMover.load` does.

        An object whose mark moved is left alone, and one whose source row the mapping does not move. A removable one
        without a source row is removed, where the mapping says that what vanishes is deleted. One that is merged and
        would become something else than was foreseen is left alone, too.
        """
        ...

    def restore(
        self, *, order: LoadOrder, keys: Sequence[str], committing: Committing = nullcontext
    ) -> Mapping[str, Outcome]:
        """Put objects back exactly as they were before this reconciliation, in one transaction. Safe to repeat.

        One that changed since is left alone, and one that was not there before, where the order preserves. It commits
        inside `committing()`, as `DataMover.load` does.
        """
        ...

    def over(self, *, at: datetime) -> Collection[UUID]:
        """Return the accounts with former states whose time is over."""
        ...

    def forget(self, *, account_id: UUID, at: datetime, committing: Committing = nullcontext) -> int:
        """Delete an account's former states whose time is over, inside `committing()`; return how many."""
        ...
