"""A worker to kill: `python -m tests.access_review_to_kill JOB TENANT` runs a job that writes access down for a review.

Once every line is written and nothing of it committed it says “here”, and waits.
"""

import os
import sys
from uuid import UUID


def main(job_id: str, tenant_id: str) -> None:
    """Run the job up to there."""
    import django

    django.setup()
    from accounts.services.access import reviews
    from core import queue

    def stop(*args: object, **kwargs: object) -> None:
        os.write(1, b"here\n")
        sys.stdin.read()

    reviews.record = stop
    queue.run(job_id=UUID(job_id), tenant_id=UUID(tenant_id))


if __name__ == "__main__":
    main(*sys.argv[1:])
