"""A Spark cluster by its address: one application per comparison, begun and ended with it."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from core.ports import Rejected, Unavailable
from portal.adapters.comparison.spark import tasks

logger = logging.getLogger(__name__)

_PATIENCE = 20
"""Seconds in which the Java process must end when it is asked to."""
_SILENCE = 60
"""Seconds after which a cluster that was merely asked who it is has no machines for us."""
_SECRET = ("secret", "password", "token", "credential")

type Pairs = Iterable[tuple[int, Any]]


@dataclass(frozen=True, slots=True)
class Address:
    """`spark://host:7077`, `local[2]` or another master of Spark's, with settings of Spark's behind a question mark."""

    master: str
    settings: dict[str, str]

    @classmethod
    def of(cls, url: str) -> "Address":
        """Read an address. Raises Rejected for one that is none, and for secrets, which every process would show."""
        master, _, query = url.partition("?")
        settings = dict(parse_qsl(query, keep_blank_values=True))
        if not master.startswith(("local", "spark://", "yarn", "k8s://")):
            raise Rejected("begin it with spark://, k8s://, yarn or local[…]")
        for setting in settings:
            if not setting.startswith("spark."):
                raise Rejected(f"{setting} is no setting of Spark's: they begin with spark.")
            if any(sign in setting.lower() for sign in _SECRET):
                raise Rejected(f"{setting} would be seen by everyone on the machine: put it into spark-defaults.conf")
        return cls(master, settings)

    @property
    def is_local(self) -> bool:
        """Whether this machine alone is the cluster."""
        return self.master.startswith("local")


def lacking() -> str:
    """Return what this machine lacks to speak with a cluster, and what to do about it; '' for nothing."""
    if find_spec("pyspark") is None:
        return "pyspark is missing: pip install --require-hashes -r requirements/spark.lock"
    if not _java():
        return "there is no Java: install one of 17 or newer (default-jre-headless), or set JAVA_HOME"
    return ""


class Cluster:
    """An application that runs on a cluster. Use `opened`."""

    def __init__(self, context: Any) -> None:
        self._context = context

    @property
    def slots(self) -> int:
        """How many tasks run side by side."""
        return int(self._context.defaultParallelism)

    def releases(self) -> set[str]:
        """Return which releases of Crossing answer (`tasks.release`)."""
        patience = threading.Timer(_SILENCE, self._context.cancelAllJobs)
        patience.start()
        try:
            told = self._context.parallelize(range(self.slots), self.slots).map(lambda _: tasks.release()).collect()
        finally:
            patience.cancel()
        return set(told)

    def run[Part](
        self,
        parts: list[Part],
        read: Callable[[Part], Pairs],
        judge: Callable[[int, Pairs], Iterable[Any]],
        *,
        buckets: int,
        beside: list[tuple[int, Any]],
    ) -> Iterator[Any]:
        """Read every part, bring what belongs to one bucket together, with what is given `beside`, and judge each.

        Yields what was said of one bucket after the other.
        """
        from pyspark import StorageLevel

        found = self._context.parallelize(parts, len(parts)).flatMap(read)
        if beside:
            found = found.union(self._context.parallelize(beside, min(len(beside), self.slots)))
        said = found.partitionBy(buckets, int).mapPartitionsWithIndex(judge).persist(StorageLevel.DISK_ONLY)
        said.count()  # all buckets side by side; an iterator alone would have them judged one after the other
        yield from said.toLocalIterator()
        said.unpersist()


@contextmanager
def opened(url: str) -> Iterator[Cluster]:
    """Begin an application. Raises Unavailable, in words without an address, where it cannot run or stops half-way.

    A process runs one at a time.
    """
    try:
        address, problem = Address.of(url), lacking()
    except Rejected as refusal:
        address, problem = None, str(refusal)
    if problem or address is None:
        logger.warning("comparison cluster: %s", problem)  # for whoever runs this; a customer has no use for it
        raise Unavailable("The cluster that compares large data cannot be used.")
    import pyspark  # only where a cluster is configured
    from py4j.protocol import Py4JError

    logging.getLogger("py4j").setLevel(logging.WARNING)  # it tells of every connection
    with _interruptible():
        try:
            context = pyspark.SparkContext(conf=_settings(address))
            context.pythonExec = sys.executable
            yield Cluster(context)
        except (Py4JError, pyspark.errors.PySparkException, OSError, EOFError) as error:
            # What the cluster says names machines and may hold more.
            logger.warning("comparison cluster failed: %s", type(error).__name__)
            raise Unavailable("The cluster stopped before everything was compared.") from None
        finally:
            _end(pyspark.SparkContext)


def _settings(address: Address) -> Any:
    from pyspark import SparkConf

    ours = {
        "spark.master": address.master,
        "spark.app.name": "crossing-comparison",
        "spark.ui.enabled": "false",  # it would listen on every address of this machine
        "spark.io.encryption.enabled": "true",  # what does not fit into memory is a customer's data on a disk
        "spark.executorEnv.PYTHONPATH": os.pathsep.join([str(tasks.RELEASE), *_added_paths()]),
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
    }
    if address.is_local:
        ours |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return SparkConf().setAll(list((ours | address.settings).items()))


def _added_paths() -> list[str]:
    """Return where packages are that are not part of this environment, so that a local cluster finds them too."""
    return [path for path in sys.path if path and not path.startswith((sys.prefix, sys.base_prefix))]


def _java() -> str:
    home = os.environ.get("JAVA_HOME", "")
    return shutil.which(str(Path(home) / "bin" / "java")) or "" if home else shutil.which("java") or ""


def _end(context: Any) -> None:
    """End the application and its Java process, whatever state they are in."""
    gateway = context._gateway  # Spark keeps its process for the next application; ours ends
    active = context._active_spark_context
    if active is not None:
        with suppress(Exception):
            active.stop()
    if gateway is None:
        return
    with suppress(Exception):
        gateway.shutdown()
    process: subprocess.Popen[bytes] | None = getattr(gateway, "proc", None)
    if process is not None:
        if process.stdin:
            with suppress(OSError):
                process.stdin.close()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    context._gateway = context._jvm = context._active_spark_context = None


@contextmanager
def _interruptible() -> Iterator[None]:
    """Give the interrupt signal back to whom it belonged: Spark takes it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
