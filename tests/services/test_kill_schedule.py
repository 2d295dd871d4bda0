"""Nothing is lost and nothing comes twice, however often worker, broker and database are killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from portal.house import state

SCRIPT = Path(__file__).parents[1] / "schedule.py"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20131103])
def test_a_hundred_thousand_rows_arrive_once_through_24_kills(seed: int) -> None:
    rows, kills = 100_000, 24
    folder = state.folder().with_name(f"{state.folder().name}-kills")
    command = [sys.executable, str(SCRIPT), str(rows), str(kills), str(seed)]
    ours = {"PATH", "HOME", "LANG", "TMPDIR"}
    environment = {name: value for name, value in os.environ.items() if name in ours}
    ran = subprocess.run(
        command, env={**environment, "CROSSING_STATE": str(folder)}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    told = json.loads(ran.stdout.splitlines()[-1])
    assert sum(told["killed"].values()) == kills, told["killed"]
    assert all(told["killed"][one] for one in ("worker", "broker", "database"))
    assert told["left"] == told["peace"]
    assert told["left"]["run"] == ["succeeded", rows, rows]
    assert sum(count for _, _, count in told["left"]["totals"]) == rows
    assert told["left"]["flights"][0][:2] == [rows - 100, rows - 100]
