"""The loading side of the new platform in memory."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from backfills.domain import keys, naming
from backfills.domain.judgement import Fate, Verdict, judge
from backfills.domain.spec import Spec, Then
from core import tenancy
from core.moving import (
    HELD,
    BatchDone,
    Letter,
    LoadOrder,
    Origin,
    Preserved,
    RunPosition,
    SourceKeys,
    SourceRows,
    Trace,
)
from core.ports import Committing, Rejected
from tests.fakes import moved
from tests.fakes.rows import decode

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FakeMover:
    """Judges with the language's Python side; keeps everything in `entities` and `runs`."""

    entities: ClassVar[dict[tuple[UUID, str], moved.Entity]] = {}
    runs: ClassVar[dict[UUID, moved.Run]] = {}
    notes: ClassVar[int] = 0

    @classmethod
    def reset(cls) -> None:
        """Forget everything."""
        cls.entities.clear()
        cls.runs.clear()

    def _entity(self, order: LoadOrder, name: str = "") -> moved.Entity:
        return self.entities.setdefault((order.account_id, name or order.entity), moved.Entity())

    def open_run(self, *, order: LoadOrder, source_total: int, borders: Sequence[str] = ()) -> RunPosition:
        """Open as `core.ports.DataMover` promises."""
        tenancy.forbid_transaction("Talking to the new platform")
        if order.run_id not in self.runs:
            entity = self._entity(order)
            if order.since is not None and not entity.rows.keys() >= set(entity.origins.values()):
                raise Rejected("Objects were left to the next of the rows that were merged: run it in full.")
            for row in order.spec.supplements:
                key = str(row[order.spec.target_key])
                if key not in entity.objects:
                    self._note(entity, order, key, row)
                    entity.objects[key] = row
                entity.supplied.add(key)
            merges = order.spec.duplicates.then is Then.MERGE
            cuts = [] if merges or entity.origins or entity.outcomes or order.since else [*borders]
            ranges = [moved.Range(*ends) for ends in zip([None, *cuts], [*cuts, None], strict=True)]
            self.runs[order.run_id] = moved.Run(
                source_total, ranges, supplemented=len(order.spec.supplements), looked=self.notes,
                looked_from=entity.judged,
            )  # fmt: skip
        return self.position(order=order, after_batch=10**9)

    def load(
        self,
        *,
        order: LoadOrder,
        read: Callable[[str | None, str | None], SourceRows],
        after_batch: int = 0,
        committing: Committing = nullcontext,
    ) -> RunPosition:
        """Load as `core.ports.DataMover` promises."""
        run = self._run(order)
        claim = next((one for one in run.ranges if not one.loaded and not one.taken), None)
        if claim:
            claim.taken = True
            rows = read(claim.last_key, claim.until)
            with committing():
                self._apply(order, run, rows)
            run.read += rows.count
            claim.last_key, claim.loaded = rows.last_key or claim.last_key, rows.count < order.spec.batch
            claim.taken = False
        return self.position(order=order, after_batch=after_batch)

    def retry(
        self, *, order: LoadOrder, keys: Sequence[str], rows: SourceRows, committing: Committing = nullcontext
    ) -> RunPosition:
        """Retry as `core.ports.DataMover` promises."""
        run = self._run(order)
        known = len(run.batches)
        with committing():
            self._apply(order, run, rows, asked=keys)
        return self.position(order=order, after_batch=known)

    def unread(self, *, order: LoadOrder) -> Sequence[str]:
        """Tell as `core.ports.DataMover` promises."""
        tenancy.forbid_transaction("Talking to the new platform")
        entity, merges = self._entity(order), order.spec.duplicates.then is Then.MERGE
        return sorted(set(entity.origins.values()) - entity.rows.keys()) if merges else ()

    def finish(
        self,
        *,
        order: LoadOrder,
        source: SourceKeys,
        held: Callable[[], Iterator[bytes]] | None = None,
        committing: Committing = nullcontext,
    ) -> RunPosition:
        """Finish as `core.ports.DataMover` promises."""
        run, entity = self._run(order), self._entity(order)
        if not run.closed:
            mine = {key: one for key, one in entity.outcomes.items() if one[0] == order.run_id}
            if order.since is not None and held is not None:
                mine = entity.outcomes
                if SourceKeys.of(mine) != source:
                    mine = moved.there(entity, held)
                    source = SourceKeys.of(mine)
            if len(mine) != source.rows:
                raise Rejected(
                    f"Legacy holds {source.rows:,} rows, of which {len(mine):,} are accounted for: the data changed"
                    " while it was read. Run it again."
                )
            if SourceKeys.of(mine) != source:
                raise Rejected(
                    f"Legacy holds {source.rows:,} rows, as many as are accounted for, but not the same ones."
                )
            with committing():
                said, came_from = entity.outcomes, entity.origins
                entity.outcomes = mine
                entity.origins = {t: k for t, k in entity.origins.items() if k in mine and mine[k][1].fate.moves}
                for key, (run_id, verdict, target) in sorted(mine.items()):
                    if verdict.fate is Fate.MERGED and target not in entity.origins:
                        entity.origins[str(target)] = key
                        mine[key] = (run_id, Verdict(Fate.MIGRATED), target)
                        entity.rows.pop(key, None)
                there = entity.origins.keys() | entity.supplied
                sources = {target: key for target, key in came_from.items() if target not in there}
                entity.held = {
                    key: entity.held.get(key, (sources.get(key, ""), rule, order.at))
                    for key in entity.objects.keys() - there
                    if (rule := moved.held_by(order.spec, entity, key, said.get(sources.get(key, ""))))
                    or order.preserves
                }
                there |= entity.held.keys()
                run.held, run.removed = len(entity.held), len(entity.objects.keys() - there)
                for gone in entity.objects.keys() - there:
                    self._note(entity, order, gone, None)
                entity.objects = {key: row for key, row in entity.objects.items() if key in there}
                run.source_total, run.closed, entity.judged = source.rows, True, run.looked
        return self.position(order=order, after_batch=10**9)

    def touched(self, *, order: LoadOrder) -> Mapping[str, Sequence[str]] | None:
        """Tell as `core.ports.DataMover` promises."""
        tenancy.forbid_transaction("Talking to the new platform")
        spec, run = order.spec, self.runs.get(order.run_id)
        since = run.looked_from if run else self._entity(order).judged
        if spec.lookups and since is None:
            return None
        found = {}
        for name, lookup in spec.lookups.items():
            notes = sorted((*note, key) for key, note in self._entity(order, lookup.entity).touched.items())
            guarded = naming.is_guarded(spec, name)
            told = [
                key
                for number, is_new, key in notes
                if (since or 0) < number <= (run.looked if run else number) and not (is_new and guarded)
            ]
            found[name] = tuple(told[: spec.batch + 1])
        return found

    def _note(self, entity: moved.Entity, order: LoadOrder, key: str, now: Mapping[str, Any] | None) -> None:
        """Note that a row came, changed in what others look up, or went."""
        fields = {
            field
            for spec in order.specs.values()
            for lookup in spec.lookups.values()
            if lookup.entity == order.entity
            for field in (order.spec.target_key, *lookup.fields)
        }
        before = entity.objects.get(key)
        if fields and (before is None or now is None or any(before[one] != now[one] for one in fields)):
            FakeMover.notes += 1
            entity.touched[key] = (self.notes, before is None and key not in entity.touched)

    def trace(self, *, account_id: UUID, entity: str, system: str, key: str) -> Trace | None:
        """Tell as `core.ports.DataMover` promises."""
        tenancy.forbid_transaction("Talking to the new platform")
        known = self.entities.get((account_id, entity), moved.Entity())
        key = key if key in known.outcomes else known.origins.get(key, key)
        held = {source: target for target, (source, *_) in known.held.items() if source}
        if key not in known.outcomes:
            target = held.get(key, key)
            if target not in known.held:
                return None
            source, rule, at = known.held[target]
            return Trace(source, "migrated", "", target, source, UUID(int=0), "known", None, at, rule)
        run_id, verdict, ended = known.outcomes[key]
        holder = known.origins.get(str(ended), "")
        found = Trace(key, verdict.fate.value, verdict.rule, ended, holder, run_id, "known" if holder else "", None)
        if ended is None and key in held:
            _, rule, at = known.held[held[key]]
            return replace(found, target_key=held[key], spec="known", held_at=at, held_by=rule)
        return found

    def origins(
        self, *, account_id: UUID, spec: Spec, keys: Sequence[str], read: Callable[[Sequence[str]], SourceRows]
    ) -> Mapping[str, Origin]:
        """Tell as `core.ports.DataMover` promises."""
        tenancy.forbid_transaction("Talking to the new platform")
        known = self.entities.get((account_id, spec.entity), moved.Entity())
        sources = {target: known.origins[target] for target in keys if target in known.origins}
        now = {str(row[spec.key_column]): row for row in decode(spec, read([*sources.values()]))} if sources else {}
        found = {}
        for target, key in sources.items():
            label, at, before = known.rows.get(key, (spec.label, EPOCH, {}))
            same = "unknown" if not before else "same" if now.get(key) == before else "changed"
            source = same if key in now else "gone"
            found[target] = Origin(key, label, at, source)
        return found | {
            target: Origin(target, spec.label, EPOCH, "same", supplied=True)
            for target in keys
            if target in known.supplied and target not in found
        }

    def ended(
        self, *, account_id: UUID, entity: str, system: str, fate: str, rule: str, skip: int, limit: int
    ) -> tuple[str, ...]:
        """List as `core.ports.DataMover` promises."""
        tenancy.forbid_transaction("Talking to the new platform")
        known = self.entities.get((account_id, entity), moved.Entity())
        mine: Iterable[str] = (
            key for key, (_, one, _) in known.outcomes.items() if (one.fate, one.rule) == (fate, rule)
        )
        if fate == HELD:
            mine = (target for target, (_, held_by, _) in known.held.items() if rule in ("", held_by))
        return tuple(sorted(mine, key=str.encode)[skip : skip + limit])

    def preserved(self, *, account_id: UUID) -> Iterator[Preserved]:
        """Read as `core.ports.DataMover` promises: this one keeps nothing of what is written over."""
        tenancy.forbid_transaction("Talking to the new platform")
        yield from ()

    def empty_letters(self, *, account_id: UUID, before: datetime, committing: Committing = nullcontext) -> int:
        """Delete copies as `core.ports.DataMover` promises."""
        tenancy.forbid_transaction("Talking to the new platform")
        emptied = 0
        with committing():
            for (account, _), entity in self.entities.items():
                for key, (letter, is_open) in entity.letters.items():
                    if account == account_id and letter.payload and letter.last_at < before:
                        entity.letters[key] = (replace(letter, payload=b""), is_open)
                        emptied += 1
        return emptied

    def staged(self, *, account_id: UUID) -> Mapping[str, int]:
        """Count as `core.ports.DataMover` promises."""
        tenancy.forbid_transaction("Talking to the new platform")
        mine = [entity for (account, _), entity in self.entities.items() if account == account_id]
        runs = {run_id for entity in mine for run_id, _, _ in entity.outcomes.values()}
        outcomes = [verdict for entity in mine for _, verdict, _ in entity.outcomes.values()]
        return {"run": len(runs), "outcome": sum(verdict.fate is not Fate.MIGRATED for verdict in outcomes)}

    def forget(self, *, account_id: UUID, committing: Committing = nullcontext) -> Mapping[str, int]:
        """Forget as `core.ports.DataMover` promises."""
        with committing():
            for (account, _), entity in self.entities.items():
                if account == account_id:
                    for run_id, _, _ in entity.outcomes.values():
                        self.runs.pop(run_id, None)
                    entity.outcomes.clear()
        return self.staged(account_id=account_id)

    def position(self, *, order: LoadOrder, after_batch: int = 0) -> RunPosition:
        """Tell as `core.ports.DataMover` promises."""
        run, entity = self._run(order), self._entity(order)
        mine = [
            verdict
            for run_id, verdict, _ in entity.outcomes.values()
            if run_id == order.run_id or (run.closed and order.since is not None)
        ]
        return RunPosition(
            read=run.read,
            source_total=run.source_total,
            ranges=len(run.ranges),
            loaded=all(one.loaded for one in run.ranges),
            closed=run.closed,
            totals=Counter((verdict.fate.value, verdict.rule) for verdict in mine),
            supplemented=run.supplemented,
            removed=run.removed,
            held=run.held,
            batches=tuple(batch for batch in run.batches if batch.number > after_batch),
        )

    def _run(self, order: LoadOrder) -> moved.Run:
        tenancy.forbid_transaction("Talking to the new platform")
        if order.run_id not in self.runs:
            raise Rejected("The new platform does not know this run: start it again.")
        return self.runs[order.run_id]

    def _apply(self, order: LoadOrder, run: moved.Run, rows: SourceRows, *, asked: Sequence[str] = ()) -> None:
        spec, entity = order.spec, self._entity(order)
        lookups = {
            name: {
                key: {column: str(value) for column, value in row.items()}
                for key, row in self._entity(order, lookup.entity).objects.items()
            }
            for name, lookup in spec.lookups.items()
        }
        decoded, changed, settled = decode(spec, rows), 0, []
        letters: list[Letter] = []
        for row in sorted(decoded, key=lambda one: keys.rank(spec, str(one[spec.key_column]))):
            key, judged = str(row[spec.key_column]), judge(spec, row, spec.world(lookups))
            verdict, target = judged.verdict, None
            if verdict.fate.moves:
                target = str(judged.values[spec.target_key])
                if entity.origins.get(target, key) != key:
                    verdict = moved.duplicate(spec)
                    target = target if verdict.fate is Fate.MERGED else None
                else:
                    changed += entity.objects.get(target) != judged.values
                    self._note(entity, order, target, judged.values)
                    entity.objects[target], entity.origins[target] = judged.values, key
                    label, at, known = entity.rows.get(key, ("", order.at, {}))
                    entity.rows[key] = (spec.label, at if (label, known) == (spec.label, row) else order.at, row)
            entity.outcomes[key] = (order.run_id, verdict, target)
            before = entity.letters.get(key)
            if verdict.fate is Fate.QUARANTINED:
                reason = (verdict.rule, verdict.column)
                stays = before and before[1] and (before[0].rule, before[0].column) == reason
                as_before = order.standing and before and stays and before[0].spec == spec.label
                letter = Letter(
                    key, verdict.rule, verdict.sqlstate, verdict.column, spec.label,
                    attempts=before[0].attempts + (not as_before) if before else 1,
                    first_at=before[0].first_at if before and stays else order.at, last_at=order.at,
                    payload=b"sealed",
                )  # fmt: skip
                entity.letters[key] = (letter, True)
                letters.append(letter)
            elif before and before[1]:
                entity.letters[key] = (before[0], False)
                settled.append(key)
        for key in sorted(set(asked) - {str(row[spec.key_column]) for row in decoded}):
            entity.outcomes[key] = (order.run_id, Verdict(Fate.DROPPED, spec.vanished.name), None)
            entity.letters[key] = (entity.letters[key][0], False)
            settled.append(key)
        if decoded or settled:
            number = len(run.batches) + 1
            first, last = rows.first_key or settled[0], rows.last_key or settled[-1]
            count = rows.count + len(set(asked) - {str(row[spec.key_column]) for row in decoded})
            run.batches.append(
                BatchDone(number, first, last, count, changed, order.at, tuple(letters), tuple(sorted(settled)))
            )
