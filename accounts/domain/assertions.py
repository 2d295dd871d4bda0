"""Whether a SAML response signs somebody in: the strict layer, for the test and for sign-in alike.

Stricter than the packages, which accept what careless providers leave out (SAML 2.0 profiles 4.1.4.2 and 4.1.4.3):
nothing may be missing, nothing may be merely similar, nothing may come twice, and every clock may be off by the same
two minutes. All checks are made, also after one has failed: who mends a connection wants to know all of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from accounts.domain import directory, people, signatures
from accounts.domain.instants import instant, told
from accounts.domain.verdicts import FOUNDATION, Check, Code, Judgement, Verdict, checked, listed, shown
from core.saml import Assertion, Confirmation, SamlResponse, ServiceProvider, SigningCertificate, Unreadable, bounded

SKEW = timedelta(seconds=120)
REQUEST_LASTS = timedelta(seconds=600)

SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

_UNREADABLE = {
    Unreadable.EMPTY: ("no answer at all", "Look for an error on your provider's own page, and try again."),
    Unreadable.TOO_LARGE: ("a message of more than 512 KB", "Send fewer attributes: often it is a list of all groups."),
    Unreadable.NOT_BASE64: ("a text that is not base64", "Choose the binding HTTP-POST for our address."),
    Unreadable.DOCTYPE: ("XML with a document type or entities", "Tell your provider's maker: SAML never needs them."),
    Unreadable.NOT_XML: ("a text that is not XML in UTF-8", "Choose the binding HTTP-POST for our address."),
    Unreadable.NOT_A_RESPONSE: ("XML, but no SAML response", "Enter our address as that for sign-in, not for logout."),
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What we know of a sign-in before its response: who we are, who answers, what we asked and when.

    `domains` are those the tenant has proven. `is_answered` says that the request was answered before, `is_used` that
    the assertion was.
    """

    sp: ServiceProvider
    entity_id: str
    certificates: tuple[SigningCertificate, ...]
    request_id: str
    requested_at: datetime
    domains: tuple[str, ...]
    is_answered: bool = False
    is_used: bool = False


def judge(response: SamlResponse, *, expected: Expected, at: datetime) -> Judgement:
    """Make every check. Where the signature does not hold, the others are made all the same and marked untrusted."""
    first = _readable(response)
    if first.verdict is Verdict.FAIL:
        return Judgement((first,))
    case = _Case(response, response.assertion or Assertion(), expected, at)
    rules = _RULES if response.assertion else _RULES_WITHOUT_ASSERTION
    checks = (first, *(check for rule in rules for check in rule(case)))
    if Judgement(checks).is_trusted:
        return Judgement(checks)
    return Judgement(tuple(c if c.code in FOUNDATION else replace(c, is_trusted=False) for c in checks))


def seconded(judgement: Judgement, *, objection: str) -> Judgement:
    """Return a judgement with what the library objects that other products rely on; empty if it accepts the message."""
    second = checked(
        Code.SECOND, holds=not objection, expected="accepted by python3-saml too", got=objection or "accepted",
        fix="Send us this result: your provider sends something unusual, and we should say what.",
    )  # fmt: skip
    return Judgement((*judgement.checks, second))


def remembered_until(assertion: Assertion, *, at: datetime) -> datetime:
    """Return until when an assertion's id must be remembered: as long as any of its own dates would let it in."""
    ends = [assertion.not_on_or_after, *(each.not_on_or_after for each in assertion.confirmations)]
    return max([at + REQUEST_LASTS, *(bounded(found) + SKEW for found in map(instant, ends) if found)])


def session_end(assertion: Assertion) -> datetime | None:
    """Return when a session that was opened by an accepted assertion ends (SAML 2.0 core 2.7.2); None: it does not say.

    Allowing for clocks, like everything else, so that it is still to come.
    """
    ends = instant(assertion.session_ends_at)
    return bounded(ends) + SKEW if ends else None


@dataclass(frozen=True, slots=True)
class _Case:
    response: SamlResponse
    assertion: Assertion
    expected: Expected
    at: datetime

    @property
    def bearer(self) -> Confirmation:
        """The confirmation that is judged: of several the one that fits best."""
        bearers = [each for each in self.assertion.confirmations if each.method == BEARER]
        return max(bearers, key=self._fits, default=Confirmation())

    def _fits(self, each: Confirmation) -> int:
        wanted = (each.recipient == self.expected.sp.acs_url, each.in_response_to == self.expected.request_id)
        return sum(wanted) + (_late(each.not_on_or_after, self.at) is False)


def _readable(response: SamlResponse) -> Check:
    got, fix = _UNREADABLE[response.unreadable] if response.unreadable else ("a SAML response", "")
    return checked(Code.READABLE, holds=not response.unreadable, expected="a SAML response", got=got, fix=fix)


def _structure(case: _Case) -> Iterator[Check]:
    response = case.response
    if response.is_encrypted:
        got, fix = "encrypted content", "Turn the encryption of assertions off: the connection itself is encrypted."
    elif response.oddities:
        got = listed(response.oddities)
        fix = "Do not trust this answer: it is built as a forgery is. Try again; if it stays, ask your vendor."
    elif response.assertion is None:
        got, fix = "no assertion", "Look at what your provider says of it, here and in its own log."
    else:
        got, fix = "one assertion in one response", ""
    holds = not response.oddities and not response.is_encrypted and response.assertion is not None
    yield checked(Code.STRUCTURE, holds=holds, expected="one assertion in one response", got=got, fix=fix)
    yield checked(
        Code.SCHEMA,
        holds=not response.schema_problem and response.version == "2.0",
        expected="SAML 2.0",
        got=response.schema_problem or f"version {shown(response.version)}",
        fix="Choose SAML 2.0 at your provider.",
    )


def _signature(case: _Case) -> Iterator[Check]:
    yield from signatures.checks(
        inner=case.assertion.signature,
        outer=case.response.signature,
        certificates=case.expected.certificates,
        at=case.at,
    )


def _status(case: _Case) -> Iterator[Check]:
    said = case.response.status.rpartition(":")[2] or "nothing"
    more = f": {shown(case.response.status_message)}" if case.response.status_message else ""
    yield checked(
        Code.STATUS, holds=case.response.status == SUCCESS, expected="Success", got=f"{shown(said)}{more}",
        fix="Your provider refused the person. Assign them to this application there, and look into its log.",
    )  # fmt: skip


def _issuer(case: _Case) -> Iterator[Check]:
    wanted, outer, inner = case.expected.entity_id, case.response.issuer, case.assertion.issuer
    # The response may leave its issuer out unless it is signed itself (core 3.2.2, profiles 4.1.4.2).
    holds = inner == wanted and outer in ({wanted} if case.response.signature else {wanted, None})
    yield checked(
        Code.ISSUER, holds=holds, expected=wanted,
        got=shown(inner if outer in (None, inner) else f"{outer} in the response, {inner} in the assertion"),
        fix="Upload the metadata of the provider that answers, or correct its entity ID there.",
    )  # fmt: skip


def _addressed(case: _Case) -> Iterator[Check]:
    acs_url = case.expected.sp.acs_url
    yield checked(
        Code.DESTINATION, holds=case.response.destination == acs_url, expected=acs_url,
        got=shown(case.response.destination),
        fix="Enter our ACS address at your provider exactly as it stands here, to the last character.",
    )  # fmt: skip


def _request(case: _Case) -> Iterator[Check]:
    age, wanted = case.at - case.expected.requested_at, case.expected.request_id
    late = age > REQUEST_LASTS
    got = "answered before" if case.expected.is_answered else f"answered after {told(age)}"
    yield checked(
        Code.REQUEST, holds=not late and not case.expected.is_answered,
        expected=f"one answer within {told(REQUEST_LASTS)}", got=got,
        fix="Start a new test." if case.expected.is_answered else "Start a new test, and sign in without a long pause.",
    )  # fmt: skip
    got_id = case.response.in_response_to
    yield checked(
        Code.IN_RESPONSE_TO, holds=got_id == wanted, expected=wanted, got=shown(got_id),
        fix="Start at this page, not at your provider's list of applications: we accept only what we asked for."
        if got_id is None
        else "This answers another request. Start a new test.",
    )  # fmt: skip


def _confirmed(case: _Case) -> Iterator[Check]:
    bearer, sp, wanted = case.bearer, case.expected.sp, case.expected.request_id
    methods = [each.method.rpartition(":")[2] for each in case.assertion.confirmations]
    yield checked(
        Code.CONFIRMATION, holds=bearer.method == BEARER, expected="bearer", got=listed(methods),
        fix="Choose the profile “Web browser SSO” at your provider.",
    )  # fmt: skip
    yield checked(
        Code.RECIPIENT, holds=bearer.recipient == sp.acs_url, expected=sp.acs_url, got=shown(bearer.recipient),
        fix="Enter our ACS address as the recipient too (some providers call it “Recipient URL”).",
    )  # fmt: skip
    yield checked(
        Code.CONFIRMED_REQUEST, holds=bearer.in_response_to == wanted, expected=wanted,
        got=shown(bearer.in_response_to),
        fix="The assertion must name the request it is for (InResponseTo in SubjectConfirmationData).",
    )  # fmt: skip
    ends, begins = bearer.not_on_or_after, bearer.not_before
    early = begins is not None and _early(begins, case.at)
    yield checked(
        Code.CONFIRMED_UNTIL, holds=_late(ends, case.at) is False and not early,
        expected=f"an end after {_clock(case.at)}, by our clock", got=_span(begins, ends), fix=_clock_fix(ends),
    )  # fmt: skip


def _meant(case: _Case) -> Iterator[Check]:
    wanted, restrictions = case.expected.sp.entity_id, case.assertion.audiences
    yield checked(
        Code.AUDIENCE, holds=bool(restrictions) and all(wanted in each for each in restrictions), expected=wanted,
        got=listed(audience for each in restrictions for audience in each),
        fix="Enter our entity ID as the audience at your provider (also called “Audience URI” or “SP entity ID”).",
    )  # fmt: skip
    begins, ends = case.assertion.not_before, case.assertion.not_on_or_after
    holds = case.assertion.has_conditions and not (
        (begins is not None and _early(begins, case.at)) or (ends is not None and _late(ends, case.at) is not False)
    )
    yield checked(
        Code.CONDITIONS, holds=holds, expected=f"a span around {_clock(case.at)}, by our clock",
        got=_span(begins, ends) if case.assertion.has_conditions else "no conditions", fix=_clock_fix(ends or begins),
    )  # fmt: skip


def _issued(case: _Case) -> Iterator[Check]:
    moment, issued, ends = (
        case.assertion.authenticated_at,
        case.assertion.issued_at,
        case.assertion.session_ends_at,
    )
    asked = case.expected.requested_at
    made = instant(issued)
    holds = (
        not _early(moment, case.at)
        and made is not None
        and asked - SKEW <= made <= case.at + SKEW
        and (ends is None or _late(ends, case.at) is False)
    )
    yield checked(
        Code.ISSUED, holds=holds,
        expected=f"made after {_clock(asked)}, and nothing in the future",
        got=f"issued {shown(issued)}, signed in {shown(moment)}" + (f", session until {shown(ends)}" if ends else ""),
        fix="Set the clock of your provider by a time server: it may be two minutes off, not more.",
    )  # fmt: skip


def _once(case: _Case) -> Iterator[Check]:
    known = case.assertion.id
    yield checked(
        Code.ONCE, holds=bool(known) and not case.expected.is_used, expected="an assertion of its own",
        got="one that was used before" if case.expected.is_used else ("a new one" if known else "one without an ID"),
        fix="Start a new test: an answer counts once. If nobody sent it twice on purpose, tell your security team.",
    )  # fmt: skip


def _person(case: _Case) -> Iterator[Check]:
    assertion, entity_id = case.assertion, case.expected.sp.entity_id
    names = [attribute.name for attribute in assertion.attributes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        got, fix = f"an attribute twice: {listed(twice)}", "Send each attribute once, with several values if need be."
    elif not assertion.name_id:
        got, fix = "no NameID, or an empty one", "Send the person's e-mail address as NameID."
    elif assertion.sp_name_qualifier not in (None, entity_id):
        got, fix = (
            f"a name for {shown(assertion.sp_name_qualifier)}",
            "Remove the SPNameQualifier, or enter our entity ID.",
        )
    elif not directory.asserted(assertion):
        got, fix = (
            "a NameID made for this one sign-in (transient), or one too long to keep",
            "Choose the e-mail address, or a persistent NameID, at your provider.",
        )
    else:
        got, fix = shown(assertion.name_id), ""
    yield checked(Code.SUBJECT, holds=not fix, expected="one lasting NameID, each attribute once", got=got, fix=fix)
    addresses = tuple(filter(None, people.addresses(assertion)))
    domains = [people.domain_of(address) for address in addresses]
    proven = case.expected.domains
    holds = len(addresses) == 1 and domains[0] in proven
    yield checked(
        Code.EMAIL, holds=holds,
        expected="one address at " + (" or ".join(proven) or "a domain you have proven (there is none yet)"),
        got=listed(addresses), fix=_email_fix(addresses, proven),
    )  # fmt: skip


def _email_fix(addresses: tuple[str, ...], proven: tuple[str, ...]) -> str:
    if not addresses:
        return "Send the person's e-mail address as NameID, or as an attribute called “email”."
    if len(addresses) > 1:
        return "Send one address, not several that differ."
    if not proven:
        return "Prove your domain under Domains first."
    return "Prove that domain under Domains, or send the address that the person has at yours."


def _late(text: str | None, at: datetime) -> bool | None:
    """Say whether an end is over, allowing for clocks; None without one that can be read."""
    ends = instant(text)
    return None if ends is None else at - SKEW >= ends


def _early(text: str | None, at: datetime) -> bool:
    """Say whether a beginning is still to come, allowing for clocks; one that cannot be read never begins."""
    begins = instant(text)
    return begins is None or at + SKEW < begins


def _span(begins: str | None, ends: str | None) -> str:
    return f"from {shown(begins)} until {shown(ends)}" if begins is not None else f"until {shown(ends)}"


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _clock_fix(ends: str | None) -> str:
    if instant(ends) is None:
        return "Your provider must say until when its answer holds (NotOnOrAfter, in UTC)."
    return "Set the clock of your provider by a time server: it may be two minutes off, not more."


_RULES_WITHOUT_ASSERTION: tuple[Callable[[_Case], Iterator[Check]], ...] = (_status, _structure, _addressed, _request)
_RULES = (
    _status,
    _structure,
    _signature,
    _issuer,
    _addressed,
    _request,
    _confirmed,
    _meant,
    _issued,
    _once,
    _person,
)
