"""The API held to its own description by schemathesis: right and wrong requests, one by one and in sequences.

It calls the WSGI application in this process, on a database that really commits, with a token of every scope. The
seed is fixed: the same code gets the same requests. The slow tests do the same with more examples.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from portal.reference import description
from portal.wsgi import application
from tests import api, worlds
from tests.fakes.dns import FakeDns
from tests.worlds import World

FEW, MANY = 3, 100
CALM: dict[str, Any] = {
    "deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck),
}  # fmt: skip
OPERATIONS = sorted(
    f"{method.upper()} {path}" for path, methods in description.document()["paths"].items() for method in methods
)


@schemathesis.check
def refusals_are_problems(ctx: Any, response: Any, case: Any) -> None:
    """Every refusal keeps the contract of RFC 9457; what is well-formed is at most refused by a use case.

    The description cannot say which cursors were given out, so a well-formed one may still be none of the list.
    """
    if response.status_code < 400 or case.method == "HEAD":
        return
    assert response.headers["content-type"] == [api.PROBLEM], response.headers
    told = json.loads(response.content)
    assert told["status"] == response.status_code
    assert told["detail"]
    assert told["fix"]
    if case.meta is not None and case.meta.generation.mode.is_positive and response.status_code in (400, 422):
        about_cursor = [flaw.get("parameter") for flaw in told.get("errors", ())] == ["cursor"]
        assert about_cursor or told["type"].rpartition("#")[2] in ("refused", "idempotency-key-reused"), told


@pytest.fixture
def world(committed_db: None, monkeypatch: pytest.MonkeyPatch, fake_dns: type[FakeDns], settings: Any) -> World:
    settings.API_QUOTA = 10**9
    return worlds.build(monkeypatch, fake_dns)


@dataclass(frozen=True)
class Described:
    """The description as the application serves it, and the headers of somebody who may everything."""

    schema: Any
    headers: dict[str, str]

    def hold(self, label: str, *, examples: int) -> None:
        """Call one endpoint with right and with wrong data, and judge every answer by every check."""
        operation = self.schema.find_operation_by_label(label)

        @settings(**CALM, max_examples=examples)
        @given(data=st.data())
        def calls(data: st.DataObject) -> None:
            mode = data.draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
            data.draw(operation.as_strategy(generation_mode=mode)).call_and_validate(headers=self.headers)

        calls()

    def hold_sequences(self, *, examples: int, steps: int) -> None:
        """Call endpoints one after the other, with ids from the answers before."""
        headers = self.headers

        class Sequence(self.schema.as_state_machine()):  # type: ignore[misc]  # its base is made at run time
            def get_call_kwargs(self, case: Any) -> dict[str, Any]:
                return {"headers": headers}

            def validate_response(self, response: Any, case: Any, **kwargs: Any) -> None:
                case.validate_response(response, headers=headers, transport_kwargs=kwargs, recorder=self.recorder)

        Sequence.run(settings=settings(**CALM, max_examples=examples, stateful_step_count=steps))


@pytest.fixture
def described(world: World) -> Described:
    config = SchemathesisConfig.from_dict({
        "seed": 9457,
        "generation": {"mode": "all", "deterministic": True, "with-security-parameters": False},
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404", "409", "422"]}},
    })  # fmt: skip
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application, config=config)
    return Described(schema, {"Authorization": f"Bearer {api.token(world.case.owner)}"})


@pytest.mark.parametrize("label", OPERATIONS)
def test_an_endpoint_does_as_it_is_described(described: Described, label: str) -> None:
    described.hold(label, examples=FEW)


@pytest.mark.slow
@pytest.mark.parametrize("label", OPERATIONS)
def test_an_endpoint_does_as_it_is_described_at_length(described: Described, label: str) -> None:
    described.hold(label, examples=MANY)


def test_sequences_of_requests_do_as_they_are_described(described: Described) -> None:
    described.hold_sequences(examples=8, steps=6)


@pytest.mark.slow
def test_long_sequences_of_requests_do_as_they_are_described(described: Described) -> None:
    described.hold_sequences(examples=80, steps=10)
