"""One application per comparison: it begins, ends, and may die. Apart from the rest, as a process has one at a time."""

import os
import signal

import psycopg
import pytest

from core.comparison import Segment
from core.ports import Unavailable
from portal.adapters.comparison.spark import SparkComparison, cluster, tasks
from tests import sparking
from tests.people import fill, legacy_person, plan

pytestmark = pytest.mark.slow


@pytest.fixture
def badges(people_platforms):
    pair = people_platforms
    fill(pair.legacy_owner, {"person_mast": [legacy_person(number, f"Person {number}") for number in range(1, 40)]})
    moved = [{"owner": "t1", "code": f"P-Person {number}", "fee": "1.5"} for number in range(1, 40)]
    fill(pair.new_owner, {"clean.badge": moved})
    return pair


def comparison(pair, **changed):
    return SparkComparison(pair.legacy_reader, pair.new_loader, sparking.ADDRESS, records=20, settle=0, **changed)


def differing(engine):
    found = []
    findings = engine.compare(plan("badges"), segment=Segment(), report=found.append)
    return findings, found


def test_a_cluster_that_dies_half_way_ends_in_no_answer_and_leaves_nothing_behind(badges):
    with sparking.importable():
        with psycopg.connect(badges.new_owner) as connection:
            connection.execute("INSERT INTO clean.badge VALUES ('t1', 'P-Nobody', 1)")
        seen = []

        def kill(seconds):
            import pyspark

            process = pyspark.SparkContext._gateway.proc
            os.kill(process.pid, signal.SIGKILL)
            seen.append(process)

        before = signal.getsignal(signal.SIGINT)
        with pytest.raises(Unavailable, match="stopped before everything was compared"):
            differing(comparison(badges, sleep=kill))
        assert seen[0].poll() is not None
        again, found = differing(comparison(badges))
        assert (again.compared, [one.key for one in found]) == (40, ["P-Nobody"])
        assert signal.getsignal(signal.SIGINT) is before
        with cluster.opened(sparking.ADDRESS) as machines:
            assert machines.releases() == {tasks.release()}
