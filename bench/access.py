"""An access review of 100,000 people: how much memory each step takes above what the process holds anyway.

    make bench-access [ARGS="--people 100000"]

Everybody is a member, in legacy and on the new platform. What is measured is the process' own peak between the steps;
seconds are shown beside it, and depend on the machine. A step is `correct` when everybody is in what it made.
"""

import argparse
import io
import json
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tests.conftest as house  # isort: skip - takes the servers and sets Django up, before anything else

from django.db import connection, connections
from django.utils import timezone

from accounts.models import AccessReview
from accounts.queries import access as queries
from accounts.queries.access import standing
from accounts.services.access import decisions, reviews
from accounts.views import access_files
from core import tenancy
from core.actor import Actor
from tests import databases, make

RESULTS = Path(__file__).parent / "results" / "access.json"
MOST_MB = 150
PEOPLE = (
    """
    INSERT INTO accounts_user (id, password, is_superuser, email, name, is_staff, is_active, date_joined)
    SELECT md5('u' || n)::uuid, '!', false, 'first.last' || n || '@zz.example', 'First Last ' || n, false, true, now()
      FROM generate_series(1, %(people)s) AS n
    """,
    """
    INSERT INTO accounts_member (id, tenant_id, user_id, role, joined_at)
    SELECT md5('m' || n)::uuid, %(tenant)s, md5('u' || n)::uuid, CASE n %% 10 WHEN 0 THEN 'admin' ELSE 'member' END,
           now()
      FROM generate_series(1, %(people)s) AS n
    """,
    """
    INSERT INTO accounts_newperson (
           id, tenant_id, key, external_id, user_name, email, name, role, is_owner, is_active, is_member)
    SELECT md5('n' || n)::uuid, %(tenant)s, 'p-' || n, '00u' || n, 'first.last' || n,
           'first.last' || n || '@zz.example', 'First Last ' || n, 'member', false, true, false
      FROM generate_series(1, %(people)s) AS n
    """,
    """
    INSERT INTO accounts_legacyperson (
           id, tenant_id, key, external_id, user_name, email, name, role, is_owner, is_active, outcome, rule,
           new_id, person_id)
    SELECT md5('l' || n)::uuid, %(tenant)s, n::text, '', 'first.last' || n, 'first.last' || n || '@zz.example',
           'First Last ' || n, 'member', false, true, 'mapped', 'user_name', md5('n' || n)::uuid,
           md5('l' || n)::uuid
      FROM generate_series(1, %(people)s) AS n
    """,
    "ANALYZE",
)


def held(what: str) -> int:
    """Return what the process holds, in MB: `VmRSS` now, `VmHWM` at its peak since `begin_peak`."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition(f"{what}:")[2].split()[0]) // 1024


def begin_peak() -> int:
    """Begin a new peak, and return what it begins with."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    return held("VmRSS")


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=100_000)
    asked = parser.parse_args()
    house.CLONE.create(template=databases.ensure_template(owner_url=house.CLONE.owner_url))
    try:
        results = measure(asked.people)
    finally:
        connections.close_all()
        house.CLONE.drop()
    print(json.dumps(results, indent=1))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def measure(people: int) -> list[dict[str, object]]:
    """Return what each step of a review takes."""
    owner, second = (make.member(tenant) for tenant in [make.tenant()] * 2)
    with make.arranging(), connection.cursor() as cursor:
        for statement in PEOPLE[:-1]:
            cursor.execute(statement, {"people": people, "tenant": owner.tenant_id})
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE[-1])
    results: list[dict[str, object]] = []
    everybody = people + 2

    def step(name: str, work: Callable[[], int]) -> None:
        base, began = begin_peak(), time.perf_counter()
        found = work()
        took, above = time.perf_counter() - began, held("VmHWM") - base
        is_right = found == everybody and above <= MOST_MB
        results.append(
            {"case": f"{people} people", "tool": f"crossing, {name}", "peer": False, "above_mb": above,
             "wall_s": round(took, 2), "correct": is_right}
        )  # fmt: skip
        print(results[-1], flush=True)

    at, tenant_id = timezone.now(), owner.tenant_id
    with tenancy.scope(tenant_id=tenant_id):
        step("count", lambda: standing.counts(tenant_id=tenant_id).people)
        for form in ("csv", "xlsx"):
            step(f"who has access now, as {form}", lambda form=form: taken(owner, form, at=at))  # type: ignore[misc]
        by = make.actor(owner)
        step("begin, in the request", lambda: begun(tenant_id, everybody, by=by, at=at))
        review = AccessReview.objects.get(tenant_id=tenant_id)
        step("begin, in the queue", lambda: written(review))
        step("attest", lambda: attested(review, by, make.actor(second)))
        step("finish", lambda: reviews.finish(review=review, by=by, at=at).people)
        review.refresh_from_db()
        for form in ("csv", "xlsx"):
            step(f"a review as {form}", lambda form=form: taken(owner, form, review, at=at))  # type: ignore[misc]
    return results


def begun(tenant_id: UUID, people: int, *, by: Actor, at: datetime) -> int:
    """Begin a review, and return how many people it is to be about."""
    review = reviews.begin(tenant_id=tenant_id, due_on=at.date(), by=by, at=at)
    return people if review.is_being_written else review.people


def written(review: AccessReview) -> int:
    """Have everybody's access written down as a worker would, and return how many lines there are."""
    reviews.write_down(review_id=review.pk, by=Actor.system("access_review"), now=timezone.now)
    review.refresh_from_db()
    return review.people


def attested(review: AccessReview, *everybody: Actor) -> int:
    """Attest all that are the same, then the others some thousand at a time, each of two people the other."""
    at = timezone.now() + timedelta(seconds=1)
    done = decisions.attest(review=review, line_ids=None, by=everybody[0], at=at).count
    own = {actor.id: actor for actor in everybody}
    for some in queries.batches(queries.lines(review, verdict="")):
        mine = [line.pk for line in some if line.member.user_id in own]
        others = [line.pk for line in some if line.member.user_id not in own]
        if others:
            done += decisions.attest(review=review, line_ids=others, by=everybody[0], at=at).count
        for pk, by in zip(mine, reversed(everybody), strict=False):
            done += decisions.attest(review=review, line_ids=[pk], by=by, at=at).count
    return done


def taken(owner: object, form: str, review: AccessReview | None = None, *, at: object) -> int:
    """Take a file as a browser would, and return how many people are in it."""
    tenant, by = owner.tenant, make.actor(owner)  # type: ignore[attr-defined,arg-type]
    if review is None:
        response = access_files.of_now(tenant, form, by=by, at=at)  # type: ignore[arg-type]
    else:
        response = access_files.of_review(tenant, review, form, by=by, at=at)  # type: ignore[arg-type]
    if form == "csv":
        return sum(block.count(b"\n") for block in response) - 1
    book = zipfile.ZipFile(io.BytesIO(b"".join(response)))
    return book.read("xl/worksheets/sheet1.xml").count(b"<row ") - 1


if __name__ == "__main__":
    main()
