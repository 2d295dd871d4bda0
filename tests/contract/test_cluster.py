"""What can be said of a cluster without one: its address, what this machine lacks, and how records travel."""

import pytest

from core.comparison import Segment
from core.ports import Rejected, Unavailable
from portal.adapters.comparison import duck
from portal.adapters.comparison.spark import SparkComparison, cluster, engine, parcels
from portal.adapters.comparison.spark.parcels import Parcel, Unpacking
from portal.adapters.comparison.spark.tasks import Done, Heard
from portal.doctor import cluster as doctor
from tests.people import plan

MASTER = "spark://spark.internal:7077"


def test_an_address_is_a_master_and_settings_of_sparks():
    found = cluster.Address.of(f"{MASTER}?spark.executor.memory=4g&spark.cores.max=32")
    assert (found.master, found.settings) == (MASTER, {"spark.executor.memory": "4g", "spark.cores.max": "32"})
    assert not found.is_local
    assert cluster.Address.of("local[2]").is_local


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("postgres://legacy", "begin it with"),
        ("", "begin it with"),
        (f"{MASTER}?memory=4g", "memory is no setting"),
        (f"{MASTER}?spark.authenticate.secret=abc", "would be seen by everyone"),
    ],
)
def test_an_address_that_is_none_or_would_show_a_secret_is_refused(address, why):
    with pytest.raises(Rejected, match=why) as caught:
        cluster.Address.of(address)
    assert "abc" not in str(caught.value)


@pytest.fixture
def without_java(monkeypatch):
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    monkeypatch.setattr(cluster, "find_spec", lambda name: object())


def test_a_machine_without_java_or_spark_compares_nothing_and_says_no_more_to_a_customer(without_java, monkeypatch):
    assert "default-jre-headless" in cluster.lacking()
    with (
        pytest.raises(Unavailable, match=r"^The cluster that compares large data cannot be used\.$"),
        cluster.opened(MASTER),
    ):
        pass
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    assert "requirements/spark.lock" in cluster.lacking()


@pytest.mark.parametrize(
    ("address", "fix"),
    [("", ""), ("ftp://cluster", "begin it with"), (MASTER, "default-jre-headless")],
)
def test_the_doctor_says_what_the_cluster_lacks(without_java, settings, address, fix):
    options = {"legacy": "", "new": "", "cluster": address}
    given = {"BACKEND": "portal.adapters.comparison.spark.SparkComparison", "OPTIONS": options}
    settings.ADAPTERS = settings.ADAPTERS | ({"cluster": given} if address else {})
    (symptom,) = doctor.cluster()
    assert fix in symptom.fix
    assert symptom.is_well is not bool(fix)


VALUES = {
    "VARCHAR": "'ä\n' || chr(0) || ' '", "BIGINT": "-9223372036854775808",
    "HUGEINT": "-170141183460469231731687303715884105728",
    "UHUGEINT": "340282366920938463463374607431768211455",
    "DOUBLE": "'-0'::DOUBLE", "FLOAT": "'nan'::FLOAT",
    "DECIMAL(38,20)": "123456789012345678.00000000000000000001", "DATE": "'4000-01-01 (BC)'", "TIME": "'24:00:00'",
    "TIMESTAMP": "'200000-12-31 23:59:59.999999'", "TIMESTAMP WITH TIME ZONE": "'0044-03-15 (BC) 12:00:00.000001+00'",
    "UUID": "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "BLOB": "'\\x00\\xFF'::BLOB", "BOOLEAN": "false",
    "BIT": "'0010'::BIT",
    "INTERVAL": "'1 month'::INTERVAL", "SMALLINT": "-32768",
}  # fmt: skip
"""The engine's types, each with a value that others have no room for."""


@pytest.fixture
def travelling(tmp_path):
    with duck.session({}, memory_limit="300MB", threads=1, exchange=str(tmp_path)) as session:
        yield session


def test_every_value_returns_from_its_journey_as_it_went(travelling, tmp_path):
    cells = ", ".join(f'({literal})::{kind} AS "{kind}"' for kind, literal in VALUES.items())
    nothing = ", ".join(f"NULL::{kind}" for kind in VALUES)
    travelling.run(f"CREATE TEMP TABLE sent AS SELECT {cells} UNION ALL SELECT {nothing}")
    before = [parcels.shape(travelling, "sent"), *travelling.rows("SELECT sent::VARCHAR FROM sent")]
    unpacking = Unpacking(tmp_path)
    unpacking.take(parcels.packed(travelling, "sent", tmp_path))
    travelling.run("DROP TABLE sent")
    unpacking.relations(travelling)
    assert [parcels.shape(travelling, "sent"), *travelling.rows("SELECT sent::VARCHAR FROM sent")] == before
    assert list(tmp_path.iterdir()) == []


def test_records_are_divided_by_bucket_and_a_relation_without_any_has_its_columns(travelling, tmp_path):
    travelling.run("CREATE TEMP TABLE sent AS SELECT range AS k FROM range(10)")
    sent = dict(parcels.divided(travelling, "sent", tmp_path, bucket="(k % 3)"))
    unpacking = Unpacking(tmp_path)
    unpacking.take(sent[1])
    unpacking.take(Parcel("nobody", parcels.shape(travelling, "sent")))
    unpacking.relations(travelling)
    assert sorted(sent) == [0, 1, 2]
    assert travelling.rows("FROM sent ORDER BY k") == [(1,), (4,), (7,)]
    assert (parcels.shape(travelling, "nobody"), travelling.rows("FROM nobody")) == ((("k", "BIGINT"),), [])


def heard(bucket, arrived, *done):
    return Heard(bucket, {"expected": arrived, "actual": arrived}, done)


ALL = [heard(0, 3, Done("expected", 5, {}), Done("actual", 5, {})), heard(1, 2)]


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        (ALL, 3),
        (ALL[:1], 2),
        ([ALL[0], heard(1, 1)], 2),
        ([*ALL, heard(2, 0)], 2),
        ([*ALL, heard(1, 0)], 2),
        ([heard(0, 3, Done("expected", 5, {})), heard(1, 2)], 1),
    ],
    ids=["a part", "a bucket", "a record", "a bucket too many", "a bucket twice", "one side"],
)
def test_whatever_got_lost_on_its_way_leaves_no_answer(given, parts):
    engine._demand_all(ALL, parts=2, buckets=range(2))
    with pytest.raises(Unavailable, match="lost records"):
        engine._demand_all(given, parts=parts, buckets=range(2))


def test_a_part_of_an_entity_is_not_the_clusters():
    comparison = SparkComparison("", "", MASTER)
    assert comparison.divide(plan(), size=1) == (Segment(),)
