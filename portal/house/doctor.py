"""`make doctor`: what is missing on this machine; then `manage.py doctor` looks at the installation itself."""

import os
import shutil
import subprocess
import sys

from portal.house import quality, setup, state
from portal.house.development import exported
from portal.house.hold import Servers
from portal.house.trouble import Trouble

NEEDED_BYTES = 2 * 1024**3


def findings() -> list[tuple[bool, str, str]]:
    """What stands and what does not: whether it is well, what it is, and the fix."""
    version = ".".join(map(str, sys.version_info[:3]))
    rows = [((3, 12) <= sys.version_info < (3, 15), f"Python {version} at {sys.executable}", "install Python 3.13")]
    for purpose, what in (("run", "run the portal"), ("work", "work on it")):
        rows.append(
            (
                setup.is_ready(purpose),
                f"packages to {what} are as locked",
                f"make {'demo' if purpose == 'run' else 'check'}",
            )
        )
    try:
        place = state.prepare()
    except Trouble as trouble:
        return [*rows, (False, "state folder", str(trouble))]
    free = shutil.disk_usage(place).free
    rows.append((free > NEEDED_BYTES, f"{free / 1024**3:.0f} GB free at {place}", "free about 2 GB"))
    missing = quality.missing_packages()
    rows.append((not missing, "Chromium, xmlsec1 and MariaDB for the tests", f"apt-get install {' '.join(missing)}"))
    return rows


def run(*arguments: str) -> int:
    """Print each finding with its fix; 1 if any needs one."""
    rows = findings()
    for well, what, fix in rows:
        print(f"{'ok  ' if well else 'MEND'} {what}{'' if well else f': {fix}'}")
    code = not all(row[0] for row in rows)
    if not setup.is_ready("run"):
        return code
    with Servers():
        manage = [str(setup.python()), "manage.py", "doctor", *arguments]
        return subprocess.run(manage, env={**os.environ, **exported()}, check=False).returncode or code
