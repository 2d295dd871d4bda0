"""dlt copying one table from one PostgreSQL to another; runs in an environment of its own, without Crossing.

    python dlt_copy.py append|merge folder

`SOURCE_URL`, `TARGET_URL` and `TABLE` say what; prints seconds and peak memory as JSON. No transforms, no checks.
"""

import json
import os
import resource
import sys
import time

import dlt
from dlt.sources.sql_database import sql_table


def main(disposition: str, folder: str) -> None:
    """Copy once, and print what it took."""
    backend = os.environ.get("BACKEND", "sqlalchemy")
    table = sql_table(credentials=os.environ["SOURCE_URL"], table=os.environ["TABLE"], backend=backend)
    table.apply_hints(primary_key=os.environ["KEY"], write_disposition=disposition)
    pipeline = dlt.pipeline(
        f"bench_{disposition}",
        pipelines_dir=folder,
        destination=dlt.destinations.postgres(os.environ["TARGET_URL"]),
        dataset_name=f"dlt_{disposition}",
    )
    began = time.perf_counter()
    pipeline.run(table).raise_on_failed_jobs()
    seconds = time.perf_counter() - began
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"seconds": seconds, "peak_mb": peak // 1024}))


if __name__ == "__main__":
    main(*sys.argv[1:])
