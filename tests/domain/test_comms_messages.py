"""What is said to whom and when: pure decisions about messages."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.domain import deliveries, letters, moments, timeline
from comms.domain.ladder import TEMPLATES, Audience, Kind, Template
from comms.domain.moments import Course, Moment

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
ZONE = "America/New_York"
STARTS = datetime(2026, 12, 20, 3, tzinfo=UTC)  # Saturday night in New York
VALUES = {
    "tenant": "Zebra Air",
    "window": "soon",
    "phase": "Prepare",
    "since": "a moment ago",
    "link": "https://x.example/",
    "contact": "Ask us",
}


def template(body: str, subject: str = "Hello") -> Template:
    return Template("x.y", 1, Kind.ANNOUNCE, Audience.ADMINS, True, "", subject, body)


@pytest.mark.parametrize("body", ["{user}", "{tenant.name}", "{tenant!r}", "{tenant:>10}", "{0}", "{}", "{tenant[0]}"])
def test_a_template_names_nothing_but_the_closed_set(body):
    with pytest.raises(ValueError, match="cannot use the placeholder"):
        template(body)


def test_every_message_of_the_ladder_can_be_filled():
    for known in TEMPLATES.values():
        assert "{" not in letters.fill(known.subject, VALUES) + letters.fill(known.body, VALUES)
        assert "{link}" in known.body or known.audience in (Audience.LADDER, Audience.LEAVERS)  # no page is theirs


def test_each_step_of_the_charter_speaks_to_each_rung_of_the_ladder():
    said = {(one.kind, one.audience) for one in TEMPLATES.values()}
    rungs = (Audience.SPONSORS, Audience.ADMINS, Audience.END_USERS)
    assert {(kind, rung) for kind in (Kind.ANNOUNCE, Kind.REMINDER, Kind.AFTER) for rung in rungs} <= said
    assert {(Kind.CUTOVER, Audience.DECIDERS), (Kind.CUTOVER, Audience.END_USERS)} <= said


@given(st.text(max_size=500))
def test_no_name_can_add_a_header_a_line_or_a_placeholder(name):
    subject = letters.fill("{tenant} moves", {**VALUES, "tenant": name})
    assert subject.endswith(" moves")
    assert len(subject.splitlines()) == 1
    assert letters.fill("{tenant}", {**VALUES, "tenant": "{link} {0}"}) == "{link} {0}"


@given(st.text(max_size=2000))
def test_no_note_becomes_html(note):
    html = letters.as_html(letters.with_note("Our text", note, of="Zebra"), link="https://x.example/")
    inside = html.replace("<p>", "").replace("</p>", "").replace("<br>", "")
    assert "<" not in inside


def test_only_our_own_address_is_linked():
    text = "Look:\n\nhttps://x.example/\n\nhttps://evil.example/\n\n<img src=https://evil.example/p.gif>"
    html = letters.as_html(text, link="https://x.example/")
    assert html.count("<a ") == 1
    assert '<a href="https://x.example/">' in html
    page = letters.page("<b>", html)
    assert "<b>" not in page
    assert "<img" not in page


def test_a_note_is_marked_as_the_customers_own():
    said = letters.with_note("Our text", " Bring\r\ncake\x00 \n", of="Zebra\nAir")
    assert said == "Our text\n\nA word from Zebra Air:\n\nBring\ncake"
    assert letters.with_note("Our text", " \n ", of="Zebra Air") == "Our text"


def planned(at: datetime = AT, starts_at: datetime = STARTS) -> list[timeline.Slot]:
    return timeline.plan(occasion="window:1", starts_at=starts_at, zone=ZONE, at=at)


def test_the_ladder_is_told_in_order_and_reminded_at_nine_local_time():
    slots = planned()
    announced = {slot.template.key: slot.due_at for slot in slots if slot.template.kind is Kind.ANNOUNCE}
    assert announced["announce.sponsors"] == announced["announce.admins"] == AT
    assert announced["announce.users"] == datetime(2026, 11, 27, 9, tzinfo=ZoneInfo(ZONE))
    later = {slot.occasion.partition(":T")[2] for slot in slots} - {""}
    assert later == {"-14", "-7", "-2", "+1"}  # T-30 has passed
    assert {slot.due_at.astimezone(ZoneInfo(ZONE)).hour for slot in slots if ":T" in slot.occasion} == {9}


@given(st.timedeltas(min_value=timedelta(hours=1), max_value=timedelta(days=365)))
def test_end_users_always_hear_before_the_window_begins(ahead):
    slots = planned(starts_at=AT + ahead)
    (users,) = [slot for slot in slots if slot.template.key == "announce.users"]
    assert AT <= users.due_at < AT + ahead
    keys = [(slot.template.key, slot.occasion) for slot in slots]
    assert len(keys) == len(set(keys))


def test_a_window_heard_of_twice_is_one_occasion_and_one_changed_back_is_another():
    def occasion(start: datetime, last: str, at: datetime) -> str:
        return timeline.occasion_of(starts_at=start, ends_at=start + timedelta(hours=2), last=last, at=at)

    first = occasion(STARTS, "", AT)
    assert occasion(STARTS, first, AT + timedelta(days=1)) == first
    other = occasion(STARTS + timedelta(days=7), first, AT + timedelta(days=1))
    again = occasion(STARTS, other, AT + timedelta(days=2))
    assert len({first, other, again}) == 3
    assert len(first) + len(":T-30") <= 120


def test_a_reminder_ends_with_the_move_and_thanks_begin_there():
    def fits(key: str, phase: str) -> bool:
        return timeline.still_true(TEMPLATES[key], phase=phase)

    assert fits("reminder.users", "preflight")
    assert not fits("reminder.users", "canary")
    assert not fits("after.users", "preflight")
    assert not fits("after.users", "halted")
    assert fits("after.users", "stabilise")


def test_a_window_is_told_in_the_tenants_zone():
    ends = STARTS + timedelta(minutes=90)
    assert timeline.in_words(STARTS, ends, zone=ZONE) == "Saturday 19 December 2026, 22:00 to 23:30 EST"
    assert timeline.moment_in_words(STARTS, zone=ZONE) == "Saturday 19 December 2026, 22:00 EST"
    assert timeline.in_words(STARTS, ends, zone="UTC") == "Sunday 20 December 2026, 03:00 to 04:30 UTC"


@pytest.mark.parametrize(
    ("due", "said"),
    [
        (timedelta(hours=-1), "still to come"),
        (timedelta(days=40), "before the window begins"),
        (timedelta(days=1), None),
    ],
)
def test_a_message_moves_only_to_a_time_that_helps(due, said):
    problem = timeline.reschedule_refusal(due_at=AT + due, at=AT, starts_at=STARTS)
    assert (said in problem) if said else problem is None


def test_pauses_grow_up_to_four_hours_and_end():
    pauses = [deliveries.pause(attempts=number) for number in range(1, 40)]
    assert pauses[0] == timedelta(minutes=1)
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(hours=4)
    assert deliveries.after_failure(attempts=deliveries.MOST_ATTEMPTS) is deliveries.DeliveryState.GIVEN_UP


@pytest.mark.parametrize(
    ("phase", "ahead", "since", "moment"),
    [
        ("preflight", 20, 1, None),
        ("preflight", 13, 1, Moment.ANNOUNCED),
        ("preflight", 1, 1, Moment.NEAR),
        ("preflight", -3, 1, None),
        ("canary", -1, 0, Moment.MOVING),
        ("halted", -1, 0, None),
        ("stabilise", -5, 3, Moment.MOVED),
        ("stabilise", -30, 20, None),
        ("done", -60, 1, None),
    ],
)
def test_banners_are_quiet_unless_the_move_is_near(phase, ahead, since, moment):
    starts_at = AT + timedelta(days=ahead)
    course = Course(phase, AT - timedelta(days=since), starts_at, starts_at + timedelta(hours=2))
    assert moments.moment(course, at=AT) is moment
