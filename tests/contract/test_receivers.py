"""Receivers of webhooks: the demo's and the worked example of docs/integrating.md pass the harness."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from integrations.domain import signing
from portal.demo.receiver import Receiver, ReceiverFile
from tests.serving import serving

PAGE = Path(__file__).parents[2] / "docs" / "integrating.md"
SECRET, OTHER = signing.secret_from(bytes(range(32))), signing.secret_from(bytes(32))
BODY = '{"type":"crossing.test","data":{"n":1}}'

type Receive = Callable[[dict[str, str], bytes], int]


@pytest.fixture
def receivers(tmp_path: Path) -> Iterator[tuple[ReceiverFile, str]]:
    file = ReceiverFile(tmp_path / "receiver.json")
    with serving(Receiver(file, port=0)) as server:
        yield file, f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(params=["the demo's", "the worked example"])
def receive(request: pytest.FixtureRequest) -> Receive:
    if request.param == "the worked example":
        (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
        names: dict[str, Callable[..., int]] = {}
        exec(example, names)
        return lambda headers, body: names["receive"](SECRET, headers, body)
    file, root = request.getfixturevalue("receivers")
    file.set_secret("/zz/flights", SECRET)
    return lambda headers, body: httpx.post(f"{root}/zz/flights", headers=headers, content=body).status_code


def signed(*secrets: str, message_id: str = "msg_1", late: timedelta = timedelta(0)) -> dict[str, str]:
    return signing.headers(secrets=secrets or [SECRET], message_id=message_id, at=datetime.now(UTC) - late, body=BODY)


def test_a_genuine_message_is_taken_once(receive: Receive) -> None:
    headers = signed()
    assert receive(headers, BODY.encode()) == 204
    assert receive(headers, BODY.encode()) == 409
    assert receive(signed(late=timedelta(seconds=2)), BODY.encode()) == 409
    assert receive(signed(message_id="msg_2"), BODY.encode()) == 204


def test_of_several_signatures_one_is_enough(receive: Receive) -> None:
    other = signed(OTHER)["webhook-signature"]
    headers = signed()
    assert (
        receive({**headers, "webhook-signature": f"v1a,xx {other} {headers['webhook-signature']}"}, BODY.encode())
        == 204
    )


@pytest.mark.parametrize("both", [(SECRET, OTHER), (OTHER, SECRET)], ids=["knows the old", "knows the new"])
def test_while_a_secret_is_replaced_a_receiver_needs_to_know_one_of_the_two(
    receive: Receive, both: tuple[str, str]
) -> None:
    """It knows `SECRET`, whichever of the two that is; once the old one has ended, it must be the new one."""
    assert receive(signed(*both), BODY.encode()) == 204
    assert receive(signed(both[1], message_id="msg_2"), BODY.encode()) == (204 if both[1] == SECRET else 401)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda headers: {},
        lambda headers: {**headers, "webhook-id": "msg_other"},
        lambda headers: {**headers, "webhook-timestamp": str(int(time.time()) - 1)},
        lambda headers: {**headers, "webhook-timestamp": "soon"},
        lambda headers: {**headers, "webhook-timestamp": "1e99"},
        lambda headers: {**headers, "webhook-signature": "v1,"},
        lambda headers: {**headers, "webhook-signature": "nonsense"},
        lambda headers: {**headers, "webhook-signature": "v1,====,"},
        lambda headers: {**headers, "webhook-signature": headers["webhook-signature"].replace("v1,", "v2,")},
        lambda headers: signed(late=timedelta(minutes=10)),
        lambda headers: signed(late=-timedelta(minutes=10)),
        lambda headers: signed(OTHER),
        lambda headers: signed(OTHER, signing.secret_from(bytes([1] * 32))),
    ],
)
def test_everything_else_is_refused(receive: Receive, spoil: Callable[[dict[str, str]], dict[str, str]]) -> None:
    assert receive(spoil(signed()), BODY.encode()) == 401


def test_a_changed_body_is_refused(receive: Receive) -> None:
    assert receive(signed(), BODY.replace("1}", "2}").encode()) == 401
    assert receive(signed(), b"\xff\xfe") == 401


def test_the_demos_receiver_shows_what_arrived_and_takes_settings_by_its_own_form_only(
    receivers: tuple[ReceiverFile, str],
) -> None:
    file, root = receivers
    file.verify("/zz/flights", wanted=False)
    assert httpx.post(f"{root}/zz/flights", content=b'{"type":"<b>"}').status_code == 200
    page = httpx.get(f"{root}/zz/").text
    assert "&lt;b&gt;" in page
    assert "taken without looking at the signature" in page
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found
    token = found[1]
    form = {"whose": "zz", "hook": "flights", "wanted": "on"}
    assert httpx.post(f"{root}/-/verification", data={**form, "token": "guessed"}).status_code == 403
    assert not file.read().hooks["/zz/flights"].verifies
    assert httpx.post(f"{root}/-/verification", data={**form, "token": token}).status_code == 303
    assert file.read().hooks["/zz/flights"].verifies
    assert httpx.get(f"{root}/zz/", headers={"Host": "evil.example"}).status_code == 421
    assert httpx.post(f"{root}/nobody", content=b"").status_code == 403
