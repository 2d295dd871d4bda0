"""The import contracts cover every room of the house, so that a new one cannot be left out by oversight."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in CONFIG["contracts"]}
ROOMS = sorted(path.parent.name for path in ROOT.glob("*/apps.py"))
APPS = [room for room in ROOMS if room not in {"core", "portal"}]
OWN_NAMES = re.compile(r"[a-z_]+")


def test_every_room_is_analysed():
    assert set(ROOMS) == set(CONFIG["root_packages"])


def test_every_room_has_its_layer():
    layers = {name for layer in CONTRACTS["layers"]["layers"] for name in OWN_NAMES.findall(layer)}
    assert set(ROOMS) <= layers


def test_every_app_keeps_its_inner_order_and_talks_to_nobody_outside():
    assert set(APPS) == set(CONTRACTS["inside"]["containers"])
    assert {*APPS, "core"} == set(CONTRACTS["only-the-roof-talks"]["source_modules"])


@pytest.mark.parametrize("app", [app for app in APPS if (ROOT / app / "models").exists()])
def test_models_are_their_apps_own(app):
    contract = CONTRACTS[f"models-of-{app}"]
    assert (contract["protected_modules"], contract["allowed_importers"]) == ([f"{app}.models"], [app])


@pytest.mark.parametrize("path", sorted((ROOT / "portal" / "house").glob("*.py")), ids=lambda path: path.name)
def test_the_house_needs_the_standard_library_only(path):
    import sys

    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name).partition(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= {*sys.stdlib_module_names, "portal"}
    assert (ROOT / "portal" / "__init__.py").read_text().count("import") == 0
