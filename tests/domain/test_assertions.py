"""The strict layer: a right response is accepted, and each way of being wrong is refused and named."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from accounts.domain import assertions, signatures
from accounts.domain.assertions import Expected, judge
from accounts.domain.directory import TRANSIENT
from accounts.domain.instants import instant, told
from accounts.domain.people import addresses, domain_of
from accounts.domain.verdicts import FOUNDATION, TITLES, Code, Verdict
from core.saml import (
    Assertion,
    Attribute,
    Confirmation,
    SamlResponse,
    ServiceProvider,
    Signature,
    SigningCertificate,
    Unreadable,
)

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
SP = ServiceProvider("https://crossing.example/sso/org_1/metadata/", "https://crossing.example/sso/org_1/acs/")
KEY = SigningCertificate("", "AA" * 32, "CN=idp", AT - timedelta(days=300), AT + timedelta(days=300))
EXPECTED = Expected(
    sp=SP, entity_id="https://idp.example", certificates=(KEY,), request_id="_request",
    requested_at=AT - timedelta(seconds=30), domains=("airline.example",),
)  # fmt: skip
SIGNATURE = Signature(
    method="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    digest="http://www.w3.org/2001/04/xmlenc#sha256",
    canonicalisation=signatures.EXCLUSIVE,
    transforms=(signatures.ENVELOPED, signatures.EXCLUSIVE),
    verified_by=KEY.fingerprint,
    claimed=KEY.fingerprint,
)
FOR_EVER = "9999-12-31T23:59:59.999Z"
NOW, SOON = "2026-11-22T12:00:00Z", "2026-11-22T12:05:00Z"
CONFIRMATION = Confirmation(assertions.BEARER, SP.acs_url, "_request", None, SOON)
ASSERTION = Assertion(
    id="_assertion", issuer="https://idp.example", issued_at=NOW, signature=SIGNATURE, name_id="olivia@airline.example",
    confirmations=(CONFIRMATION,), has_conditions=True, not_before=NOW, not_on_or_after=SOON,
    audiences=((SP.entity_id,),), authenticated_at=NOW,
)  # fmt: skip
RIGHT = SamlResponse(
    version="2.0", id="_response", destination=SP.acs_url, issuer="https://idp.example", in_response_to="_request",
    issued_at=NOW, status=assertions.SUCCESS, assertion=ASSERTION,
)  # fmt: skip


def outer(**other):
    return replace(RIGHT, **other)


def inner(**other):
    return replace(RIGHT, assertion=replace(ASSERTION, **other))


def signed(**other):
    return inner(signature=replace(SIGNATURE, **other))


def confirmed(**other):
    return inner(confirmations=(replace(CONFIRMATION, **other),))


def failed(response: SamlResponse, *, expected: Expected = EXPECTED, at: datetime = AT) -> set[Code]:
    return {check.code for check in judge(response, expected=expected, at=at).failed}


def at(seconds: int) -> str:
    return f"{AT + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def test_a_right_response_is_accepted_and_every_check_is_made_once():
    judgement = judge(RIGHT, expected=EXPECTED, at=AT)
    assert judgement.is_accepted
    assert judgement.is_trusted
    assert sorted(check.code for check in judgement.checks) == sorted(set(Code) - {Code.SECOND})
    assert all(check.is_trusted and check.verdict is Verdict.PASS and not check.fix for check in judgement.checks)
    assert set(TITLES) == set(Code)


WRONG = [
    (outer(version="1.1"), Code.SCHEMA),
    (outer(schema_problem="an element too many"), Code.SCHEMA),
    (outer(status="urn:oasis:names:tc:SAML:2.0:status:Responder"), Code.STATUS),
    (outer(status=""), Code.STATUS),
    (outer(status="xSuccess"), Code.STATUS),
    (outer(issuer="https://evil.example"), Code.ISSUER),
    (outer(issuer=None, signature=SIGNATURE), Code.ISSUER),
    (inner(issuer="https://idp.example/"), Code.ISSUER),
    (inner(issuer=None), Code.ISSUER),
    (outer(destination=None), Code.DESTINATION),
    (outer(destination=""), Code.DESTINATION),
    (outer(destination=SP.acs_url[:-1]), Code.DESTINATION),
    (outer(destination=f"{SP.acs_url}x"), Code.DESTINATION),
    (outer(in_response_to=None), Code.IN_RESPONSE_TO),
    (outer(in_response_to="_other"), Code.IN_RESPONSE_TO),
    (confirmed(recipient=None), Code.RECIPIENT),
    (confirmed(recipient=f"https://evil.example/?{SP.acs_url}"), Code.RECIPIENT),
    (confirmed(in_response_to=None), Code.CONFIRMED_REQUEST),
    (confirmed(in_response_to="_other"), Code.CONFIRMED_REQUEST),
    (confirmed(not_on_or_after=None), Code.CONFIRMED_UNTIL),
    (confirmed(not_on_or_after=at(-120)), Code.CONFIRMED_UNTIL),
    (confirmed(not_on_or_after="soon"), Code.CONFIRMED_UNTIL),
    (confirmed(not_on_or_after="2026-11-22T12:05:00+00:00"), Code.CONFIRMED_UNTIL),
    (confirmed(not_before=at(121)), Code.CONFIRMED_UNTIL),
    (inner(audiences=()), Code.AUDIENCE),
    (inner(audiences=((),)), Code.AUDIENCE),
    (inner(audiences=((SP.entity_id[:-1],),)), Code.AUDIENCE),
    (inner(audiences=((SP.entity_id,), ("https://other.example",))), Code.AUDIENCE),
    (inner(has_conditions=False, not_before=None, not_on_or_after=None), Code.CONDITIONS),
    (inner(not_before=at(121)), Code.CONDITIONS),
    (inner(not_on_or_after=at(-120)), Code.CONDITIONS),
    (inner(not_on_or_after="never"), Code.CONDITIONS),
    (inner(authenticated_at=None), Code.ISSUED),
    (inner(authenticated_at=at(121)), Code.ISSUED),
    (inner(issued_at=at(121)), Code.ISSUED),
    (inner(issued_at=at(-151)), Code.ISSUED),
    (inner(issued_at=None), Code.ISSUED),
    (inner(session_ends_at=at(-120)), Code.ISSUED),
    (inner(id=None), Code.ONCE),
    (inner(name_id=None, attributes=(Attribute("email", ("o@airline.example",)),)), Code.SUBJECT),
    (inner(name_id="", attributes=(Attribute("email", ("o@airline.example",)),)), Code.SUBJECT),
    (inner(name_id_format=TRANSIENT), Code.SUBJECT),
    (inner(sp_name_qualifier="https://other.example"), Code.SUBJECT),
    (inner(attributes=(Attribute("team", ("a",)), Attribute("team", ("b",)))), Code.SUBJECT),
    (inner(name_id="olivia@evil.example"), Code.EMAIL),
    (inner(name_id="olivia@sub.airline.example"), Code.EMAIL),
    (inner(name_id="olivia@evil.example@airline.example"), Code.EMAIL),
    (inner(name_id="12345"), Code.EMAIL),
    (inner(attributes=(Attribute("email", ("a@airline.example", "b@airline.example")),)), Code.EMAIL),
    (inner(attributes=(Attribute("mail", ("a@evil.example",)),)), Code.EMAIL),
]


@pytest.mark.parametrize(
    ("response", "code"), WRONG, ids=[f"{code}-{number}" for number, (_, code) in enumerate(WRONG)]
)
def test_one_thing_wrong_is_refused_by_its_own_check_alone(response, code):
    judgement = judge(response, expected=EXPECTED, at=AT)
    assert {check.code for check in judgement.failed} == {code}
    (check,) = judgement.failed
    assert check.expected
    assert check.got
    assert check.fix


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (outer(oddities=("2 assertions instead of one",)), Code.STRUCTURE),
        (outer(is_encrypted=True), Code.STRUCTURE),
        (inner(signature=None), Code.SIGNATURE),
        (signed(verified_by=""), Code.SIGNATURE),
        (signed(verified_by="", claimed=""), Code.SIGNATURE),
        (signed(verified_by="BB" * 32), Code.SIGNATURE),
        (signed(problem="it refers to another element"), Code.SIGNATURE),
        (outer(signature=replace(SIGNATURE, verified_by="")), Code.SIGNATURE),
        (outer(signature=replace(SIGNATURE, problem="it has 2 references instead of one")), Code.SIGNATURE),
        (outer(signature=replace(SIGNATURE, digest="http://www.w3.org/2000/09/xmldsig#sha1")), Code.ALGORITHMS),
        (signed(method="http://www.w3.org/2000/09/xmldsig#rsa-sha1"), Code.ALGORITHMS),
        (signed(method="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"), Code.ALGORITHMS),
        (signed(digest="http://www.w3.org/2000/09/xmldsig#sha1"), Code.ALGORITHMS),
        (signed(canonicalisation="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"), Code.ALGORITHMS),
        (signed(transforms=(*SIGNATURE.transforms, "http://www.w3.org/TR/1999/REC-xslt-19991116")), Code.ALGORITHMS),
        (signed(transforms=()), Code.ALGORITHMS),
    ],
)  # fmt: skip
def test_without_its_foundation_everything_else_is_untrusted(response, code):
    judgement = judge(response, expected=EXPECTED, at=AT)
    assert code in {check.code for check in judgement.failed}
    assert not judgement.is_accepted
    assert not judgement.is_trusted
    assert not any(check.is_trusted for check in judgement.checks if check.code not in FOUNDATION)
    assert {check.code for check in judgement.checks} == set(Code) - {Code.SECOND}


@pytest.mark.parametrize(
    "response", [inner(confirmations=()), confirmed(method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key")]
)
def test_without_a_bearer_nothing_is_confirmed(response):
    wanted = {Code.CONFIRMATION, Code.RECIPIENT, Code.CONFIRMED_REQUEST, Code.CONFIRMED_UNTIL}
    assert failed(response) == wanted


def test_all_faults_are_named_not_only_the_first():
    bad = replace(RIGHT, destination=None, assertion=replace(ASSERTION, audiences=(), name_id="x@evil.example"))
    assert failed(bad) == {Code.DESTINATION, Code.AUDIENCE, Code.EMAIL}


def test_a_response_without_an_assertion_says_why_and_nothing_of_what_it_cannot_have():
    said = outer(assertion=None, status="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed", status_message="No")
    judgement = judge(said, expected=EXPECTED, at=AT)
    assert [check.code for check in judgement.failed] == [Code.STATUS, Code.STRUCTURE]
    assert judgement.failed[0].got == "AuthnFailed: No"
    assert not judgement.is_trusted
    assert Code.DESTINATION in {check.code for check in judgement.checks}


@pytest.mark.parametrize("why", list(Unreadable))
def test_what_cannot_be_read_is_one_check_with_a_cure(why):
    judgement = judge(SamlResponse(unreadable=why), expected=EXPECTED, at=AT)
    assert [check.code for check in judgement.checks] == [Code.READABLE]
    assert judgement.failed[0].fix


@pytest.mark.parametrize(
    "response",
    [
        confirmed(not_on_or_after=at(-119)),
        confirmed(not_before=at(120)),
        inner(not_on_or_after=at(-119)),
        inner(not_before=at(120)),
        inner(authenticated_at=at(120), issued_at=at(120)),
        inner(authenticated_at=at(-86400)),
        inner(session_ends_at=at(-119)),
        inner(session_ends_at=FOR_EVER, not_on_or_after=FOR_EVER, not_before="0001-01-01T00:00:00Z"),
        inner(issued_at="2026-11-22T12:00:00.123Z"),
        inner(not_before=None, not_on_or_after=None),
        outer(issuer=None),
        outer(signature=SIGNATURE),
        inner(audiences=(("https://other.example", SP.entity_id),)),
        inner(confirmations=(Confirmation("urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"), CONFIRMATION)),
        inner(confirmations=(replace(CONFIRMATION, recipient="https://other.example"), CONFIRMATION)),
        inner(sp_name_qualifier=SP.entity_id),
        inner(name_id="Olivia@AIRLINE.example"),
        inner(name_id="12345", attributes=(Attribute("urn:oid:0.9.2342.19200300.100.1.3", ("o@airline.example",)),)),
        inner(attributes=(Attribute("email", ("o@airline.example",)), Attribute("mail", ("O@airline.example",)))),
        signed(method="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"),
    ],
)  # fmt: skip
def test_what_the_standard_allows_is_accepted(response):
    assert failed(response) == set()


@pytest.mark.parametrize("seconds", [570, 571])
def test_a_request_holds_ten_minutes(seconds):
    moment = AT + timedelta(seconds=seconds)
    codes = failed(RIGHT, at=moment)
    assert (Code.REQUEST in codes) is (seconds == 571)


def test_a_request_is_answered_once_and_an_assertion_counts_once():
    assert failed(RIGHT, expected=replace(EXPECTED, is_answered=True)) == {Code.REQUEST}
    assert failed(RIGHT, expected=replace(EXPECTED, is_used=True)) == {Code.ONCE}


def test_without_a_proven_domain_the_fix_is_to_prove_one():
    (check,) = judge(RIGHT, expected=replace(EXPECTED, domains=()), at=AT).failed
    assert check.code is Code.EMAIL
    assert "Prove your domain under Domains first" in check.fix


def test_a_new_certificate_of_the_provider_is_told_from_a_changed_message():
    rolled = judge(signed(verified_by="", claimed="CC" * 32), expected=EXPECTED, at=AT).failed[0]
    assert "Upload its current metadata" in rolled.fix
    assert "CC:CC:CC:CC:CC:CC:CC:CC…" in rolled.got
    changed = judge(signed(verified_by=""), expected=EXPECTED, at=AT).failed[0]
    assert "changed on its way" in changed.got


def test_only_the_response_signed_says_so():
    (check, *_) = judge(replace(inner(signature=None), signature=SIGNATURE), expected=EXPECTED, at=AT).failed
    assert check.got == "only the response around it is signed"
    assert "Sign assertion" in check.fix


@pytest.mark.parametrize("days", [-1, 0, 29])
def test_an_old_certificate_warns_and_shuts_nobody_out(days):
    old = replace(KEY, not_after=AT + timedelta(days=days))
    judgement = judge(RIGHT, expected=replace(EXPECTED, certificates=(old,)), at=AT)
    (check,) = [check for check in judgement.checks if check.verdict is Verdict.WARN]
    assert check.code is Code.CERTIFICATE
    assert judgement.is_accepted


def test_an_assertion_is_remembered_as_long_as_it_could_come_again():
    assert assertions.remembered_until(ASSERTION, at=AT) == AT + timedelta(seconds=600)
    longer = replace(ASSERTION, not_on_or_after=at(7200))
    assert assertions.remembered_until(longer, at=AT) == AT + timedelta(seconds=7320)


def test_a_strangers_text_is_cut_and_made_printable():
    (check,) = judge(outer(destination="\x1b]0;" + "x" * 1000), expected=EXPECTED, at=AT).failed
    assert len(check.got) == 300
    assert check.got.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "2026-11-22",
        "2026-11-22T12:00:00",
        "2026-11-22T12:00:00+00:00",
        "2026-13-22T12:00:00Z",
        "20261122T120000Z",
    ],
)
def test_only_utc_is_a_moment(text):
    assert instant(text) is None


def test_spans_are_told_in_their_largest_unit():
    assert [told(timedelta(seconds=each)) for each in (1, 59, 60, 840, 7200, 200000)] == [
        "1 second", "59 seconds", "1 minute", "14 minutes", "2 hours", "2 days",
    ]  # fmt: skip


def test_email_verified_counts_for_nothing():
    said = replace(ASSERTION, name_id="x", attributes=(Attribute("email_verified", ("true",)),))
    assert addresses(said) == ()


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("o@münchen.example", "xn--mnchen-3ya.example"),
        ("@airline.example", ""),
        ("o@", ""),
        ("o o@airline.example", ""),
        ("o@a..b", ""),
    ],
)
def test_a_domain_is_read_as_dns_knows_it(address, domain):
    assert domain_of(address) == domain


def test_a_second_programs_objection_refuses_what_the_rules_accept() -> None:
    accepted = judge(RIGHT, expected=EXPECTED, at=AT)
    assert assertions.seconded(accepted, objection="").is_accepted
    refused = assertions.seconded(accepted, objection="WRONG_ISSUER")
    assert [check.code for check in refused.failed] == [Code.SECOND]
    assert refused.is_trusted
