"""The API as it is described, for tests that call every endpoint by schemathesis. The seed is fixed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from portal.reference import description
from portal.wsgi import application
from tests import api
from tests.worlds import World

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

    def hold_sequences(self, *, examples: int, steps: int, begin: Callable[[], None] = lambda: None) -> None:
        """Call endpoints one after the other, with ids from the answers before; `begin` comes before each sequence.

        What one leaves behind, the next is answered by: where there are many, hypothesis asks for one again and finds
        that it goes otherwise, unless each begins from one state.
        """
        headers = self.headers

        class Sequence(self.schema.as_state_machine()):  # type: ignore[misc]  # its base is made at run time
            def setup(self) -> None:
                begin()
                super().setup()

            def get_call_kwargs(self, case: Any) -> dict[str, Any]:
                return {"headers": headers}

            def validate_response(self, response: Any, case: Any, **kwargs: Any) -> None:
                case.validate_response(response, headers=headers, transport_kwargs=kwargs, recorder=self.recorder)

        Sequence.run(settings=settings(**CALM, max_examples=examples, stateful_step_count=steps))


def describe(world: World) -> Described:
    """Read the description as the application serves it, as a tool with every scope of the world's owner."""
    config = SchemathesisConfig.from_dict({
        "seed": 9457,
        "generation": {"mode": "all", "deterministic": True, "with-security-parameters": False},
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404", "409", "422"]}},
    })  # fmt: skip
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application, config=config)
    return Described(schema, {"Authorization": f"Bearer {api.token(world.case.owner)}"})
