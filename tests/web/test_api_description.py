"""The API's description: whole, true to itself, and shown to people."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator, FormatChecker

from core.api import problems
from core.tokens import SCOPES
from portal.reference import description

DOCUMENT = description.document()
SCHEMAS = DOCUMENT["components"]["schemas"]


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, told in methods.items():
            yield f"{method.upper()} {path}", told


OPERATIONS = dict(operations())


def test_the_committed_file_is_fresh() -> None:
    call_command("openapi", check=True)


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [told["operationId"] for told in OPERATIONS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("label", OPERATIONS)
def test_an_operation_says_its_scope_its_refusals_and_shows_an_example(label: str) -> None:
    told = OPERATIONS[label]
    (scope,) = told["security"][0]["token"]
    assert scope in SCOPES
    assert {"400", "401", "403", "406", "429", "500"} <= set(told["responses"])
    if not label.startswith("GET"):
        assert {"409", "413", "415", "422"} <= set(told["responses"])
        assert [each["required"] for each in told["parameters"] if each["name"] == "Idempotency-Key"] == [True]
    if "{" in label:
        assert "404" in told["responses"]
    (good,) = [answer for status, answer in told["responses"].items() if status < "300"]
    for part in (good, told.get("requestBody", {})):
        for media_type, content in part.get("content", {}).items():
            name = content["schema"].get("$ref", "").rpartition("/")[2]
            assert not name or media_type != "application/json" or SCHEMAS[name].get("examples"), name


@pytest.mark.parametrize("name", [name for name, schema in SCHEMAS.items() if schema.get("examples")])
def test_an_example_is_what_its_schema_says(name: str) -> None:
    root = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    for example in SCHEMAS[name]["examples"]:
        Draft202012Validator(root, format_checker=FormatChecker()).validate(example)
        assert set(example) == set(SCHEMAS[name].get("properties", {}))


def test_every_kind_of_problem_is_explained_on_the_page(client: Client) -> None:
    page = client.get("/api/").content.decode()
    assert [name for name in problems.KINDS if f'id="{name}"' not in page] == []
    assert [told["operationId"] for told in OPERATIONS.values() if f'id="{told["operationId"]}"' not in page] == []


def test_the_description_is_served_without_a_token(client: Client) -> None:
    answer = client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.json()["openapi"]) == (200, "3.1.1")
