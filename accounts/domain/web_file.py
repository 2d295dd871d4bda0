"""The proof by a file on the domain's web site: whether it is there, and why not."""

from accounts.domain.challenge import MOST_FILE_BYTES, Challenge, Via, WebFile, parse_value
from accounts.domain.diagnosis import Code, Diagnosis, result

_OR_DNS = "Or publish the DNS record instead."


def diagnose(*, challenge: Challenge, earlier_tokens: tuple[str, ...], seen: WebFile) -> Diagnosis:
    """Name the one thing to mend on the web site, the most specific first."""
    url, right = challenge.file_url, challenge.file_content
    content = seen.content.strip().decode("utf-8", errors="backslashreplace")
    if challenge.is_met_by_file(seen):
        return result(Code.MET, "The file is published.", (content,), right, via=Via.FILE)
    if seen.problem:
        fix = f"Open {url} in a browser outside of your network, and see to what is said here. {_OR_DNS}"
        return result(Code.FILE_UNREACHABLE, seen.problem, (), right, fix)
    if seen.onward:
        summary = f"{challenge.domain} sends whoever asks for the file to another address."
        fix = f"Answer at {challenge.domain} itself: we follow redirects on the same host only. {_OR_DNS}"
        return result(Code.FILE_MOVED, summary, (seen.onward,), right, fix)
    if seen.status != 200:
        summary = f"There is no file at {url} (status {seen.status})."
        fix = "Put a file with exactly the expected line there, for everybody to read."
        return result(Code.FILE_MISSING, summary, (f"status {seen.status}",), right, fix)
    parsed = parse_value(content)
    if parsed is not None and parsed.token in earlier_tokens:
        summary = "The file carries an earlier token, which no longer counts."
        return result(Code.SUPERSEDED, summary, (content,), right, f"Put the expected line into the file at {url}.")
    summary = "The file holds something else than the token."
    if len(seen.content) > MOST_FILE_BYTES:
        summary = f"The file is longer than {MOST_FILE_BYTES:,} bytes: a page of the web site, it seems."
    fix = "Answer with the expected line as plain text, without quotes, HTML or anything else around it."
    return result(Code.FILE_WRONG, summary, (content,), right, fix)
