"""Addresses outside, in memory, held to its word by `tests/contract/test_outbound.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from core import tenancy
from core.outbound import NotAllowed, Policy, Reply, parse
from core.ports import Rejected

MOST_REDIRECTS = 3
POLICY = Policy(ours=("crossing.example",), loopback_ports=range(1024, 65536))


@dataclass(frozen=True)
class Sent:
    """One request as it arrived."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


type Answer = Callable[[Sent], Reply]


class FakeOutbound:
    """Answers with what a test puts in `answers` by address; everything sent is kept in `sent`."""

    answers: dict[str, Answer] = {}
    sent: list[Sent] = []

    @classmethod
    def reset(cls) -> None:
        """Forget every answer and request."""
        cls.answers, cls.sent = {}, []

    def check(self, url: str) -> str:
        """Judge as `core.ports.Outbound` promises."""
        try:
            return parse(url, policy=POLICY).url
        except NotAllowed as refusal:
            raise Rejected(str(refusal)) from refusal

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        same_host: bool = False,
        most_bytes: int | None = None,
    ) -> Reply:
        """Fetch as `core.ports.Outbound` promises."""
        here = url
        for _ in range(MOST_REDIRECTS + 1):
            reply = self._ask("GET", here, headers, b"")
            if most_bytes is not None:
                reply = replace(reply, body=reply.body[: most_bytes + 1])
            if not 300 < reply.status < 309 or "location" not in reply.headers:
                return reply
            onward = urljoin(self.check(here), reply.headers["location"])
            if same_host and urlsplit(self.check(here))[:2] != urlsplit(self.check(onward))[:2]:
                return reply
            here = onward
        raise Rejected(f"{url} redirects more than {MOST_REDIRECTS} times.")

    def post(self, url: str, *, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """Send as `core.ports.Outbound` promises."""
        return self._ask("POST", url, headers, body)

    def _ask(self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes) -> Reply:
        place = self.check(url)
        tenancy.forbid_transaction("Writing to an address outside")
        sent = Sent(method, place, {name.lower(): value for name, value in (headers or {}).items()}, body)
        self.sent.append(sent)
        return self.answers.get(place, lambda _: Reply(404))(sent)
