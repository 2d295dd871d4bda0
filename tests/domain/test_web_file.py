"""The proof by a file: nothing but the token at the right address, and the diagnosis of everything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.challenge import MOST_FILE_BYTES, Challenge, Via, WebFile
from accounts.domain.diagnosis import LONGEST_SHOWN, Code, Diagnosis
from accounts.domain.web_file import diagnose

TOKEN, EARLIER = "a" * 32, "b" * 32
ASKED = Challenge(domain="jetblue.example", token=TOKEN, zone="dcv.crossing.example")
RIGHT = f"token={TOKEN}".encode()


def judged(seen: WebFile) -> Diagnosis:
    return diagnose(challenge=ASKED, earlier_tokens=(EARLIER,), seen=seen)


def test_the_address_is_the_drafts_and_holds_the_token() -> None:
    assert ASKED.file_url == f"https://jetblue.example/.well-known/crossing-challenge/{TOKEN}"


@pytest.mark.parametrize("content", [RIGHT, RIGHT + b"\n", b" " + RIGHT + b"\r\n"])
def test_the_line_alone_is_a_proof(content: bytes) -> None:
    found = judged(WebFile(200, content))
    assert (found.code, found.via) == (Code.MET, Via.FILE)


@pytest.mark.parametrize(
    ("seen", "code", "summary", "fix"),
    [
        (WebFile(problem="jetblue.example has no address in DNS."), Code.FILE_UNREACHABLE, "no address", "DNS record"),
        (WebFile(301, b"", "https://www.jetblue.example/"), Code.FILE_MOVED, "another address", "same host only"),
        (WebFile(404, b"x" * 1025), Code.FILE_MISSING, "(status 404)", "Put a file"),
        (WebFile(204, RIGHT), Code.FILE_MISSING, "(status 204)", "Put a file"),
        (WebFile(200, f"token={EARLIER}\n".encode()), Code.SUPERSEDED, "earlier token", "Put the expected line"),
        (WebFile(200, b"<pre>" + RIGHT + b"</pre>"), Code.FILE_WRONG, "something else", "plain text"),
        (WebFile(200, RIGHT + b" " * MOST_FILE_BYTES), Code.FILE_WRONG, "longer than 1,024", "plain text"),
        (WebFile(200, f"No page /{TOKEN}".encode()), Code.FILE_WRONG, "something else", "plain text"),
        (WebFile(200, b""), Code.FILE_WRONG, "something else", "plain text"),
    ],
)
def test_each_failure_is_named_and_comes_with_its_fix(seen: WebFile, code: Code, summary: str, fix: str) -> None:
    found = judged(seen)
    assert (found.code, found.via, found.expected) == (code, None, f"token={TOKEN}")
    assert summary in found.summary
    assert fix in found.fix


@given(st.integers(0, 999), st.binary(max_size=1100) | st.just(RIGHT + b"x"), st.text(max_size=300))
def test_whatever_a_web_site_answers_is_shown_short_and_proves_nothing(code: int, content: bytes, onward: str) -> None:
    found = judged(WebFile(code, content, onward))
    assert not found.is_met
    assert all(len(value) <= LONGEST_SHOWN and value.isprintable() for value in found.found)
