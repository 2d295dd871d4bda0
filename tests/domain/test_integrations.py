"""Fates, signatures, retries, redaction and the harness's judgement, without a database."""

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from core.inventory import Integration, Kind
from integrations.domain import excerpts, fates, probes, retries, rotation, signing
from integrations.domain.fates import Fate
from integrations.domain.probes import Outcome, Probe
from integrations.domain.retries import SCHEDULE, State

TODAY, NOON = date(2026, 11, 26), datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "more", "fate"),
    [
        (Kind.WEBHOOK, {}, Fate.RECREATED),
        (Kind.WEBHOOK, {"last_used_on": date(2020, 1, 1)}, Fate.RECREATED),
        (Kind.API_KEY, {"last_used_on": date(2026, 11, 1)}, Fate.ROTATED),
        (Kind.API_KEY, {"last_used_on": date(2026, 5, 1)}, Fate.RETIRED),
        (Kind.API_KEY, {}, Fate.ROTATED),
        (Kind.SSO, {}, Fate.RECREATED),
        (Kind.ETL, {}, Fate.MOVES),
        (Kind.SIEM, {}, Fate.MOVES),
        (Kind.CONNECTOR, {}, Fate.MOVES),
        (Kind.CONNECTOR, {"is_active": False}, Fate.RETIRED),
    ],
)
def test_every_integration_gets_a_proposal_with_its_reason(kind, more, fate):
    proposal = fates.propose(Integration(kind, "1", "Something", **more), on=TODAY)
    assert proposal.fate is fate
    assert proposal.reason.endswith(".")


def test_a_message_is_signed_so_that_the_reference_verifies_it():
    at, body = datetime.now(UTC), '{"type":"crossing.test","ü":1}'
    secret = signing.secret_from(bytes(range(32)))
    headers = signing.headers(secrets=[secret], message_id="msg_1", at=at, body=body)
    assert Webhook(secret).verify(body, headers) == json.loads(body)
    assert secret == "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_each_secret_signs_the_same_message_by_itself():
    at, known = datetime.now(UTC), [signing.secret_from(bytes([number] * 32)) for number in range(3)]
    headers = signing.headers(secrets=known[:2], message_id="msg_1", at=at, body="{}")
    alone = [signing.headers(secrets=[one], message_id="msg_1", at=at, body="{}") for one in known]
    assert headers["webhook-signature"] == " ".join(one["webhook-signature"] for one in alone[:2])
    assert [Webhook(one).verify("{}", headers) for one in known[:2]] == [{}, {}]
    with pytest.raises(WebhookVerificationError):
        Webhook(known[2]).verify("{}", headers)


def test_an_old_secret_signs_until_the_moment_it_ends():
    moment = timedelta(microseconds=1)
    assert [rotation.signs(NOON, at=NOON + late) for late in (-moment, timedelta(0), moment)] == [True, False, False]
    assert not rotation.signs(None, at=NOON)


@pytest.mark.parametrize(
    ("asked", "changed", "ends", "counts"),
    [
        (-1, None, None, True),  # its first secret
        (-1, 0, 2, True),  # the old one, which signs still
        (-1, 0, 1, False),  # the old one, which has ended
        (-1, 0, None, False),
        (0, 0, None, True),  # the present one
    ],
)
def test_a_run_counts_for_as_long_as_a_secret_signs_that_it_was_made_with(asked, changed, ends, counts):
    def hour(number):
        return None if number is None else NOON + timedelta(hours=number)

    told = rotation.counts(asked_at=hour(asked), changed_at=hour(changed), old_ends_at=hour(ends), at=hour(1))
    assert told is counts


def test_a_moment_of_another_zone_is_signed_as_the_same_moment():
    at = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
    elsewhere = at.astimezone(timezone(timedelta(hours=-7)))
    secret = signing.secret_from(bytes(32))
    told = [signing.headers(secrets=[secret], message_id="m", at=each, body="{}") for each in (at, elsewhere)]
    assert told[0] == told[1]
    assert told[0]["webhook-timestamp"] == str(int(at.timestamp()))


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="32 random bytes"):
        signing.secret_from(bytes(24))


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_only_2xx_is_delivery(status):
    assert retries.after(status=status, attempts=1, chance=0.5).state is State.DELIVERED


@pytest.mark.parametrize("status", [None, 100, 301, 307, 400, 401, 404, 429, 500, 503])
def test_everything_else_is_tried_again(status):
    verdict = retries.after(status=status, attempts=2, chance=0.5)
    assert (verdict.state, verdict.pause) == (State.PENDING, timedelta(minutes=5))


def test_409_means_known_only_when_it_was_sent_before():
    assert retries.after(status=409, attempts=1, chance=0.5).state is State.PENDING
    assert retries.after(status=409, attempts=2, chance=0.5).state is State.DELIVERED


def test_410_ends_the_endpoint():
    verdict = retries.after(status=410, attempts=1, chance=0.5)
    assert (verdict.state, verdict.disables) == (State.FAILED, True)


def test_the_schedule_is_the_standards_and_then_it_is_given_up():
    pauses = [retries.after(status=500, attempts=number, chance=0.5).pause for number in range(1, 10)]
    assert pauses == list(SCHEDULE)
    assert retries.after(status=500, attempts=10, chance=0.5).state is State.FAILED


def test_pauses_spread_by_a_fifth():
    shortest, longest = (retries.after(status=500, attempts=3, chance=chance).pause for chance in (0, 0.9999))
    assert shortest == timedelta(minutes=24)
    assert timedelta(minutes=35.9) < longest < timedelta(minutes=36)


def test_a_busy_receiver_gets_a_minute_and_its_wish_counts_within_bounds():
    minute = timedelta(seconds=60)
    assert retries.after(status=429, attempts=1, chance=0.5).pause == minute
    assert retries.after(status=None, attempts=1, chance=0.5).pause == minute
    asked = [
        retries.after(status=503, attempts=3, chance=0.5, retry_after=timedelta(minutes=m)).pause for m in (1, 45, 600)
    ]
    assert asked == [timedelta(minutes=30), timedelta(minutes=45), timedelta(minutes=60)]


@pytest.mark.parametrize(
    ("value", "seconds"), [("120", 120), ("", None), ("-1", None), ("1.5", None), ("Wed, 21 Oct", None), ("٣", None)]
)
def test_retry_after_is_read_in_seconds_only(value, seconds):
    assert retries.retry_after(value) == (timedelta(seconds=seconds) if seconds else None)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (b'{"ok": true}', '{"ok": true}'),
        (b"expected whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "expected [hidden]"),
        (b"Authorization: Bearer abc.def", "Authorization: [hidden]"),
        (b'{"token": "s3cret", "a": 1}', '{"token": [hidden], "a": 1}'),
        (b"mail olivia.owen@airline.example now", "mail [hidden] now"),
        (b"a\x00b\nc\x1b[31m", "a b c [31m"),
        (b"\xff\xfe", "��"),
        (b"", ""),
    ],
)
def test_an_excerpt_holds_neither_secrets_nor_people(said, kept):
    assert excerpts.excerpt(said) == kept


def test_an_excerpt_is_short():
    assert len(excerpts.excerpt(b"word " * 10_000)) == excerpts.LENGTH


TO_TAKE = {Probe.GENUINE, Probe.NEW_SECRET}


def judged(*, is_rotating=False, **statuses):
    return [
        probes.judge(probe, status=statuses.get(probe.value, 200 if probe in TO_TAKE else 401))
        for probe in probes.planned(is_rotating=is_rotating)
    ]


def test_a_receiver_that_refuses_all_but_the_genuine_passes():
    assert probes.has_passed(judged())
    assert probes.has_passed(judged(repeated=409, genuine=204, stale=400, tampered=403))


@pytest.mark.parametrize("probe", [probe for probe in Probe if probe not in TO_TAKE])
@pytest.mark.parametrize("status", [200, 204, 302, 500, 503])
def test_taking_or_failing_is_no_refusal(probe, status):
    result = probes.judge(probe, status=status)
    assert result.outcome is Outcome.BLOCK
    assert result.got == str(status)
    assert result.fix
    assert not probes.has_passed(judged(**{probe.value: status}))


@pytest.mark.parametrize("status", [408, 425, 429])
def test_a_busy_answer_says_nothing(status):
    assert probes.judge(Probe.TAMPERED, status=status).outcome is Outcome.UNKNOWN
    assert not probes.has_passed(judged(tampered=status))


@pytest.mark.parametrize(
    ("status", "fix"),
    [(401, "secret of this endpoint"), (404, "check the address"), (302, "no redirect"), (500, "200 or 204")],
)
def test_a_genuine_message_that_is_not_taken_says_what_to_do(status, fix):
    result = probes.judge(Probe.GENUINE, status=status)
    assert result.outcome is Outcome.BLOCK
    assert fix in result.fix


def test_nothing_is_refused_where_nothing_is_taken():
    results = [probes.judge(Probe.GENUINE, status=404), *probes.not_tried(is_rotating=True)]
    assert [result.probe for result in results] == list(Probe)
    assert Probe.NEW_SECRET not in {result.probe for result in probes.not_tried(is_rotating=False)}
    assert {result.outcome for result in results[1:]} == {Outcome.UNKNOWN}


def test_nobody_answering_is_unknown_but_for_the_genuine_message():
    assert probes.judge(Probe.GENUINE, status=None, trouble="It did not answer.").outcome is Outcome.BLOCK
    assert probes.judge(Probe.FORGED, status=None, trouble="It did not answer.").outcome is Outcome.UNKNOWN


def test_only_a_complete_run_passes():
    assert not probes.has_passed([])
    assert not probes.has_passed(judged()[:-1])


def test_while_a_secret_is_replaced_the_receiver_must_take_the_new_one_too():
    assert probes.has_passed(judged(is_rotating=True))
    refused = judged(is_rotating=True, new_secret=401)
    assert not probes.has_passed(refused)
    assert [(result.outcome, result.fix[:35]) for result in refused if result.probe is Probe.NEW_SECRET] == [
        (Outcome.BLOCK, "Give your receiver the new secret b")
    ]
