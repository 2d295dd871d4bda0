"""`make test`, `make check`, `make fix`, `make lock`: what a machine can judge and mend."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from portal.house import setup, state
from portal.house.development import environment
from portal.house.hold import Servers
from portal.house.trouble import Trouble

LONGEST_MODULE = 400
SYSTEM_PACKAGES = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "xmlsec1": ("xmlsec1",),
    "mariadb-server-core": ("mariadbd", "/usr/sbin/mariadbd"),  # the programs alone: no service is installed or started
    "mariadb-client-core": ("mariadb",),
    "default-jre-headless": ("java",),
}
"""Debian packages that the tests need, and the programs that show that one is there."""
PATIENCE = ("-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20")


def missing_packages() -> list[str]:
    """The Debian packages whose programs are not on PATH."""
    return [name for name, programs in SYSTEM_PACKAGES.items() if not any(map(shutil.which, programs))]


def install_missing_packages() -> None:
    """Install what the tests need by apt-get where we may; elsewhere the tests that need it say how to."""
    missing = missing_packages()
    if not missing or not shutil.which("apt-get"):
        return
    prefix: list[str] = []
    if os.geteuid() != 0:
        prefix = ["sudo", "-n"]
        if not shutil.which("sudo") or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
            return
    print(f"Installing {' '.join(missing)} by apt-get (browser, SAML, MariaDB and Spark tests) …", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
        try:
            ran = subprocess.run(
                [*prefix, "apt-get", "--quiet", *PATIENCE, *arguments],
                env=quiet,
                capture_output=True,
                timeout=900,
                check=False,
            )
        except subprocess.TimeoutExpired:
            print("apt-get did not finish in 15 minutes; browser tests are skipped where Chromium is missing.")
            return
        if ran.returncode and arguments[0] == "install":
            print(f"apt-get could not install {' '.join(missing)}; tests that need them are skipped.", flush=True)


def run_tests(*arguments: str, slow: bool = False) -> int:
    """Run the tests in parallel and in random order; the last line is pytest's summary."""
    install_missing_packages()
    workers = max(2, min(os.cpu_count() or 2, 4))
    command = [str(setup.python()), "-m", "pytest", f"--numprocesses={workers}", "--dist=worksteal", "--quiet", "-ra"]
    command += [] if slow else ["-m", "not slow"]
    ours = {"DEBUG", "DJANGO_SETTINGS_MODULE", *environment()}
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    with Servers():
        return subprocess.run([*command, *arguments], cwd=state.CHECKOUT, env=clean, check=False).returncode


def run_all_tests(*arguments: str) -> int:
    """Run all tests, the slow ones too."""
    return run_tests(*arguments, slow=True)


def run_bench(name: str, *arguments: str) -> int:
    """Run one benchmark of `bench/`."""
    script = state.CHECKOUT / "bench" / f"{name}.py"
    if not script.is_file():
        known = ", ".join(sorted(path.stem for path in script.parent.glob("*.py")))
        raise Trouble(f"There is no benchmark called {name}: bench/ has {known}.")
    ours = {"DEBUG", "DJANGO_SETTINGS_MODULE", *environment()}
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    command = [str(setup.python()), str(script), *arguments]
    with Servers():
        return subprocess.run(command, cwd=state.CHECKOUT, env=clean, check=False).returncode


def production_environment() -> dict[str, str]:
    """Variables as an installation would set them, for `check --deploy`; nothing here is connected to."""
    sample = environment()
    for name in ("CROSSING_DEMO", "CROSSING_DEMO_PASSWORD", "DNS_RESOLVER", "OUTBOUND_LOOPBACK_PORTS"):
        sample.pop(name, None)
    return {
        **{name: value for name, value in sample.items() if not name.startswith("DEMO_")},
        "SECRET_KEY": secrets.token_urlsafe(64),
        "TENANCY_KEY": secrets.token_hex(32),
        "LEDGER_SIGNING_KEY": secrets.token_hex(32),
        "PUBLIC_URL": "https://crossing.example",
        "ALLOWED_HOSTS": "crossing.example",
        "CSRF_TRUSTED_ORIGINS": "https://crossing.example",
        "BEHIND_PROXY": "on",
        "EMAIL_URL": "smtp+tls://crossing:secret@mail.example:587",
    }


def long_modules() -> str:
    """Name the modules that passed the limit."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=state.CHECKOUT, capture_output=True, text=True, check=False
    )
    paths = [state.CHECKOUT / line for line in listed.stdout.splitlines() if "/migrations/" not in line]
    counts = {path: path.read_text().count("\n") for path in paths if path.exists()}
    return "\n".join(
        f"{path.relative_to(state.CHECKOUT)}: {count} lines, the limit is {LONGEST_MODULE}"
        for path, count in counts.items()
        if count > LONGEST_MODULE
    )


def unlocked() -> str:
    """Name what is asked for in requirements/*.in and pinned in no lock."""
    problems = []
    for wanted in sorted((state.CHECKOUT / "requirements").glob("*.in")):
        pinned = {line.partition("==")[0].lower() for line in wanted.with_suffix(".lock").read_text().splitlines()}
        for line in wanted.read_text().splitlines():
            name = line.partition("#")[0].strip().partition("[")[0]
            for operator in ("~", "=", "<", ">", ";"):
                name = name.partition(operator)[0].strip()
            if name and not name.startswith("-") and name.lower().replace("_", "-") not in pinned:
                problems.append(f"{wanted.name}: {name} is not in {wanted.stem}.lock; run `make lock`")
    return "\n".join(problems)


def check() -> int:
    """Judge the code; every step runs, so that one run shows every problem."""
    python = str(setup.python())
    programs = setup.VENV / "bin"
    manage = [python, "manage.py"]
    ours = {**os.environ, **environment()}
    deploy = {
        **{name: value for name, value in os.environ.items() if name not in environment()},
        **production_environment(),
    }
    steps: list[tuple[str, Sequence[str] | Callable[[], str], Mapping[str, str]]] = [
        ("ruff check", [str(programs / "ruff"), "check", "--quiet", "."], ours),
        ("ruff format", [str(programs / "ruff"), "format", "--check", "--quiet", "."], ours),
        ("imports", [str(programs / "lint-imports")], ours),
        (
            "migrations",
            [*manage, "makemigrations", "--check", "--dry-run"],
            {**ours, "CROSSING_DATABASE_ROLE": "owner"},
        ),
        ("check --deploy", [*manage, "check", "--deploy", "--fail-level=WARNING"], deploy),
        ("templates", [str(programs / "djlint"), "templates", "--lint", "--quiet"], ours),
        ("documents", [*manage, "states", "--check"], ours),
        ("the API's description", [*manage, "openapi", "--check"], ours),
        ("module length", long_modules, ours),
        ("locks", unlocked, ours),
        ("types", [str(programs / "mypy"), "."], ours),
    ]
    failed = []
    with Servers():
        for name, step, variables in steps:
            started = time.monotonic()
            if callable(step):
                words = step()
                ok = not words
            else:
                ran = subprocess.run(
                    step, cwd=state.CHECKOUT, env=variables, capture_output=True, text=True, check=False
                )
                words, ok = ran.stdout + ran.stderr, not ran.returncode
            print(f"{'ok  ' if ok else 'FAIL'} {name} ({time.monotonic() - started:.0f} s)", flush=True)
            if not ok:
                failed.append(name)
                print(words.rstrip(), flush=True)
    if failed:
        print(f"Failed: {', '.join(failed)}. `make fix` mends what a machine can mend.")
    return bool(failed)


def fix() -> int:
    """Mend what a machine can mend."""
    ruff = str(setup.VENV / "bin" / "ruff")
    steps = (
        [ruff, "check", "--fix", "--quiet", "."],
        [ruff, "format", "--quiet", "."],
        [str(setup.python()), "manage.py", "states"],
        [str(setup.python()), "manage.py", "openapi"],
    )
    with Servers():
        codes = [
            subprocess.run(step, cwd=state.CHECKOUT, env={**os.environ, **environment()}, check=False).returncode
            for step in steps
        ]
    return max(codes)


def lock(*arguments: str) -> int:
    """Pin the requirements anew for every supported Python, with hashes and without any registry's address."""
    alone = ["--no-deps"]
    for name, options in (
        ("base", []), ("demo", alone), ("examples", alone), ("spark", []),
        ("dev", ["--constraint=requirements/base.lock"]),
    ):  # fmt: skip
        command = [str(setup.VENV / "bin" / "uv"), "pip", "compile", "--universal", "--python-version=3.12", "--quiet"]
        command += ["--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header", "--system-certs"]
        files = [f"requirements/{name}.in", f"--output-file=requirements/{name}.lock"]
        if code := subprocess.run(
            [*command, *options, *arguments, *files], cwd=state.CHECKOUT, stdout=subprocess.DEVNULL, check=False
        ).returncode:
            return code
    return 0
