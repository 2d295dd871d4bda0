"""The cluster that compares what one machine would not compare in time."""

from collections.abc import Iterator

from core import ports
from portal.adapters.comparison.spark import SparkComparison, tasks
from portal.adapters.comparison.spark import cluster as clusters
from portal.doctor import Symptom


def cluster() -> Iterator[Symptom]:
    """The cluster for comparisons."""
    adapter = ports.cluster()
    if not isinstance(adapter, SparkComparison):
        yield Symptom("no cluster compares (COMPARISON_CLUSTER_URL): this machine does")
        return
    try:
        master = clusters.Address.of(adapter.cluster).master
    except ports.Rejected as refusal:
        yield Symptom("the address in COMPARISON_CLUSTER_URL", str(refusal))
        return
    if problem := clusters.lacking():
        yield Symptom("this machine can speak with a cluster", problem)
        return
    try:
        with clusters.opened(adapter.cluster) as found:
            same, slots = found.releases() == {tasks.release()}, found.slots
    except ports.Unavailable:
        yield Symptom(f"the cluster {master} answers", "start it, and let it reach this machine; its log says more")
        return
    install = "install this release of Crossing, with requirements/base.lock, in the same place on each of its machines"
    yield Symptom(f"the cluster {master} runs {slots} tasks at once, with this release", "" if same else install)
