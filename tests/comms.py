"""Comms in tests: what its sweepers do, as of a moment ahead."""

from datetime import datetime, timedelta

from django.utils import timezone

from comms import tasks
from core import queue
from tests import make


def work(*, later: timedelta = timedelta(0)) -> datetime:
    """Let the sweepers look at everything as of a moment ahead, run what they enqueue; return that moment."""
    at = timezone.now() + later + timedelta(seconds=30)  # what this enqueues is due too
    queue.run_pending(at=at)  # what was published until now
    with make.arranging():
        tasks.sweep_mail(at=at)
        tasks.sweep_cases(at=at)
    queue.run_pending(at=at)
    return at
