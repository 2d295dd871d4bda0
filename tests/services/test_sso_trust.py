"""Certificates and metadata addresses on PostgreSQL: added, retired, read again; what works goes on working."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import SsoCertificate, SsoSource
from accounts.queries import sso as known
from accounts.readiness import sso as checks
from accounts.services import sso_certificates, sso_sources
from accounts.windows import WINDOWS, Window
from comms.models import Mailing
from core import ports, queue, tenancy
from core.actor import Actor
from core.errors import PermissionRefused
from core.findings import Finding, Outcome
from core.outbound import Reply
from core.permissions import TenantRole
from tests import make
from tests.fakes.outbound import FakeOutbound
from tests.sso import AT, Desk, Provider, desk_of, signer

pytestmark = pytest.mark.django_db

URL = "https://idp.airline.example/metadata"
DAY = timedelta(days=1)
BEAT = Actor.system("beat")


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = desk_of()
    with tenancy.scope(tenant_id=desk.tenant_id):
        yield desk


@pytest.fixture
def serve(fake_outbound: type[FakeOutbound]):
    """Let an address answer with metadata, with a status, or with an outage."""

    def answer(document: bytes | None = None, *, status: int = 200) -> None:
        fake_outbound.answers[URL] = lambda sent: Reply(status, {}, document or b"", 1)

    return answer


def follow(desk: Desk) -> SsoSource:
    return sso_sources.follow(tenant_id=desk.tenant_id, url=URL, by=desk.by, at=AT)


def refresh(desk: Desk, *, days: int = 1) -> SsoSource:
    found = sso_sources.refresh(tenant_id=desk.tenant_id, by=BEAT, at=AT + days * DAY)
    assert found
    return found


def waiting(desk: Desk, *, days: int = 1) -> dict[str, str]:
    found: dict[str, str] | None = refresh(desk, days=days).proposal
    assert found
    return found


def trusted(desk: Desk) -> set[str]:
    return set(SsoCertificate.objects.filter(retired_at=None).values_list("fingerprint", flat=True))


def print_of(*name: str) -> str:
    return ports.identity_provider().certificate(signer(*name).certificate).fingerprint


def sign_in(desk: Desk, provider: Provider) -> str:
    """Test a sign-in that this provider answers; return how it ended. The domain is not proven, so only that fails."""
    test = desk.start()
    answered = desk.answer(provider.message(provider.answer(test.connection, test, at=AT)))
    failed = {code for code, verdict in answered.verdicts.items() if verdict == "fail"}
    return "accepted" if failed <= {"email"} else f"refused: {failed}"


def test_a_provider_changes_its_key_and_no_sign_in_fails(desk: Desk, serve) -> None:
    """The whole rotation: known before it is used, used while the old one still counts, let go when it is long gone."""
    old, new = desk.provider, replace(desk.provider, signer=signer("next"))
    serve(old.metadata())
    follow(desk)
    assert sign_in(desk, old) == "accepted"
    serve(old.metadata(signer("next"), signed_by=old.signer))
    refresh(desk)
    assert sign_in(desk, old) == "accepted"
    assert sign_in(desk, new) == "accepted"
    assert known.latest_answered(connection=known.of_tenant(tenant_id=desk.tenant_id))
    serve(new.metadata())
    for days in (2, 3):
        refresh(desk, days=days)
        assert trusted(desk) == {print_of(), print_of("next")}
    refresh(desk, days=4)
    assert trusted(desk) == {print_of("next")}
    assert sign_in(desk, new) == "accepted"
    assert "refused" in sign_in(desk, old)
    told = [event for event in desk.told() if "test" not in event]
    assert told == [
        "accounts.sso.connected",
        "accounts.sso.followed",
        "accounts.sso.certificate_added",
        "accounts.sso.certificate_retired",
    ]


def test_one_that_still_signs_is_not_let_go(desk: Desk, serve) -> None:
    serve(desk.provider.metadata())
    follow(desk)
    serve(replace(desk.provider, signer=signer("next")).metadata(signed_by=desk.provider.signer))
    for days in range(1, 6):
        refresh(desk, days=days)
        SsoCertificate.objects.filter(fingerprint=print_of()).update(signed_at=AT + days * DAY)
    assert trusted(desk) == {print_of(), print_of("next")}


@pytest.mark.parametrize(
    "moved",
    [Provider(sso_url="https://evil.example/sso"), Provider(entity_id="https://evil.example")],
    ids=["address", "provider"],
)
def test_another_provider_or_address_waits_for_a_yes_and_sign_in_goes_on(desk: Desk, serve, moved: Provider) -> None:
    serve(desk.provider.metadata())
    follow(desk)
    before = known.of_tenant(tenant_id=desk.tenant_id)
    serve(moved.metadata(signer("next")))
    source = waiting(desk)
    refresh(desk, days=2)
    after = known.of_tenant(tenant_id=desk.tenant_id)
    assert (after.entity_id, after.sso_url) == (before.entity_id, before.sso_url)
    assert trusted(desk) == {print_of()}
    assert sign_in(desk, desk.provider) == "accepted"
    assert desk.told().count("accounts.sso.change_proposed") == 1
    with pytest.raises(sso_sources.UnableToDecide):
        sso_sources.accept(tenant_id=desk.tenant_id, digest="another", by=desk.by, at=AT)
    accepted = sso_sources.accept(tenant_id=desk.tenant_id, digest=source["digest"], by=desk.by, at=AT)
    assert (accepted.entity_id, accepted.sso_url) == (moved.entity_id, moved.sso_url)
    assert print_of("next") in trusted(desk)
    assert sign_in(desk, moved) == "accepted"


def test_a_no_holds_until_the_metadata_say_something_else(desk: Desk, serve) -> None:
    serve(desk.provider.metadata())
    follow(desk)
    serve(Provider(sso_url="https://idp.airline.example/two").metadata())
    digest = waiting(desk)["digest"]
    sso_sources.refuse(tenant_id=desk.tenant_id, digest=digest, by=desk.by, at=AT)
    assert refresh(desk, days=2).proposal is None
    serve(Provider(sso_url="https://idp.airline.example/three").metadata())
    assert waiting(desk, days=3)["sso_url"].endswith("three")
    serve(desk.provider.metadata())
    assert refresh(desk, days=4).proposal is None  # it went back by itself


@pytest.mark.parametrize("broken", [b"", b"<html>Sign in</html>", b"<!DOCTYPE a><a/>"])
def test_a_reading_that_fails_changes_nothing_and_is_told_the_third_time(desk: Desk, serve, broken: bytes) -> None:
    serve(desk.provider.metadata())
    follow(desk)
    serve(broken)
    dues = [(refresh(desk).due_at - AT - DAY) / timedelta(hours=1) for _ in range(4)]
    assert dues == [1, 4, 24, 24]
    source = known.source(tenant_id=desk.tenant_id)
    assert (source.failures, bool(source.problem), source.read_at) == (4, True, AT)
    assert sign_in(desk, desk.provider) == "accepted"
    assert desk.told().count("accounts.sso.metadata_unreadable") == 1
    serve(desk.provider.metadata())
    assert (refresh(desk).failures, refresh(desk).problem) == (0, "")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "must begin with https://"),
        ("http://idp.airline.example/metadata", "does not begin with https://"),
        ("https://127.0.0.1/metadata", "not an address on the public internet"),
        ("https://169.254.169.254/latest/meta-data", "not an address on the public internet"),
        ("https://crossing.example/metadata", "address of the portal itself"),
        ("https://u:p@idp.airline.example/", "user name or password"),
        ("file:///etc/passwd", "must begin with https://"),
    ],
)
def test_only_public_https_addresses_are_read(
    desk: Desk, fake_outbound: type[FakeOutbound], url: str, said: str
) -> None:
    with pytest.raises(sso_sources.UnableToFollow, match=said):
        sso_sources.follow(tenant_id=desk.tenant_id, url=url, by=desk.by, at=AT)
    assert not fake_outbound.sent
    assert not SsoSource.objects.exists()


def test_an_address_that_refuses_is_not_followed(desk: Desk, serve) -> None:
    serve(status=404)
    with pytest.raises(sso_sources.UnableToFollow, match="status 404"):
        follow(desk)
    assert known.of_tenant(tenant_id=desk.tenant_id) is None


def test_a_file_of_another_provider_ends_the_reading(desk: Desk, serve) -> None:
    serve(desk.provider.metadata())
    follow(desk)
    desk.connect(desk.provider.metadata(signer("next")))
    assert known.source(tenant_id=desk.tenant_id)
    desk.connect(Provider(entity_id="https://other.example").metadata())
    assert known.source(tenant_id=desk.tenant_id) is None
    assert trusted(desk) == {print_of()}


def test_leaving_keeps_the_connection(desk: Desk, serve) -> None:
    serve(desk.provider.metadata())
    follow(desk)
    for _ in range(2):
        sso_sources.leave(tenant_id=desk.tenant_id, by=desk.by, at=AT)
    assert sign_in(desk, desk.provider) == "accepted"
    assert sso_sources.refresh(tenant_id=desk.tenant_id, by=BEAT, at=AT) is None
    assert desk.told().count("accounts.sso.left") == 1


def test_the_worker_reads_what_is_due_and_nothing_else(desk: Desk, serve) -> None:
    serve(desk.provider.metadata())
    follow(desk)
    assert known_due(AT + DAY - timedelta(minutes=1)) == []
    assert known_due(AT + DAY) == [desk.tenant_id]


def known_due(at) -> list:
    with make.arranging():
        return known.due_sources(at=at)


def by_hand(desk: Desk, name: str, *, at=AT) -> SsoCertificate:
    return sso_certificates.add(tenant_id=desk.tenant_id, text=signer(name).certificate, by=desk.by, at=at)


def test_a_certificate_is_added_by_hand_retired_and_trusted_again(desk: Desk) -> None:
    desk.connect()
    new = replace(desk.provider, signer=signer("next"))
    added = by_hand(desk, "next")
    assert by_hand(desk, "next").pk == added.pk
    assert sign_in(desk, new) == "accepted"
    for _ in range(2):
        sso_certificates.retire(tenant_id=desk.tenant_id, certificate_id=added.pk, by=desk.by, at=AT)
    assert "signature" in sign_in(desk, new)
    desk.connect(desk.provider.metadata(signer("next")))
    assert "signature" in sign_in(desk, new)  # the person's word stands
    for _ in range(2):
        sso_certificates.restore(tenant_id=desk.tenant_id, certificate_id=added.pk, by=desk.by, at=AT)
    assert sign_in(desk, new) == "accepted"


def test_the_last_that_counts_cannot_be_retired(desk: Desk) -> None:
    first = desk.connect().certificates.get()
    for _ in range(2):
        with pytest.raises(sso_certificates.UnableToRetire, match="nobody could sign in"):
            sso_certificates.retire(tenant_id=desk.tenant_id, certificate_id=first.pk, by=desk.by, at=AT)
        SsoCertificate.objects.filter(fingerprint=by_hand(desk, "next").fingerprint).update(not_after=AT - DAY)
    assert print_of() in trusted(desk)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no certificate"),
        ("hello", "no certificate"),
        ("<md:EntityDescriptor/>", "This is XML"),
        (signer().key, "private key"),
        (signer().certificate * 2, "several certificates"),
        ("x" * 600_000, "larger than"),
    ],
)
def test_what_is_no_certificate_is_refused_with_what_it_is(desk: Desk, text: str, said: str) -> None:
    desk.connect()
    with pytest.raises(sso_certificates.UnableToTrust, match=said):
        sso_certificates.add(tenant_id=desk.tenant_id, text=text, by=desk.by, at=AT)


def test_an_old_one_and_one_too_many_are_refused(desk: Desk) -> None:
    connection = desk.connect()
    with pytest.raises(sso_certificates.UnableToTrust, match="ended on"):
        sso_certificates.add(tenant_id=desk.tenant_id, text=signer(days=-1).certificate, by=desk.by, at=AT)
    one = connection.certificates.get()
    same = {
        name: getattr(one, name) for name in ("tenant_id", "der", "not_before", "not_after", "added_at", "added_by")
    }
    SsoCertificate.objects.bulk_create(
        SsoCertificate(connection=connection, fingerprint=f"{number}", source="hand", **same) for number in range(9)
    )
    with pytest.raises(sso_certificates.UnableToTrust, match="More than 10"):
        by_hand(desk, "next")


def warn(desk: Desk, *, days_left: float) -> int | None:
    ends = signer_end(desk)
    return sso_certificates.warn(tenant_id=desk.tenant_id, by=BEAT, at=ends - timedelta(days=days_left))


def signer_end(desk: Desk):
    return SsoCertificate.objects.order_by("-not_after").values_list("not_after", flat=True)[0]


def test_people_are_warned_once_at_each_step_by_mail(desk: Desk) -> None:
    desk.connect()
    warned = [warn(desk, days_left=left) for left in (40, 29, 28, 14, 13, 6, 0.9, 0.8, -1)]
    assert warned == [None, 30, None, 14, None, 7, 1, None, None]
    assert desk.told().count("accounts.sso.certificate_ending") == 4
    queue.run_pending(at=timezone.now() + timedelta(seconds=1))
    with tenancy.scope(tenant_id=desk.tenant_id):
        mails = set(Mailing.objects.filter(template__startswith="sso.").values_list("template", flat=True))
    assert mails == {"sso.ends_30", "sso.ends_14", "sso.ends_7", "sso.ends_1"}


def test_a_successor_ends_the_warnings(desk: Desk) -> None:
    desk.connect()
    by_hand(desk, "next")
    SsoCertificate.objects.filter(fingerprint=print_of()).update(not_after=AT + timedelta(days=5))
    assert sso_certificates.warn(tenant_id=desk.tenant_id, by=BEAT, at=AT) is None


def finding(desk: Desk, *, at=AT) -> Finding:
    return checks.sso_certificates(tenant_id=desk.tenant_id, at=at)


@pytest.mark.parametrize(
    ("window_after_end", "outcome"),
    [(None, Outcome.PASS), (timedelta(days=-60), Outcome.PASS), (timedelta(days=-5), Outcome.WARN),
     (timedelta(hours=-1), Outcome.BLOCK), (timedelta(days=30), Outcome.BLOCK)],
)  # fmt: skip
def test_a_certificate_that_ends_in_the_window_or_before_it_blocks(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, window_after_end: timedelta | None, outcome: Outcome
) -> None:
    desk.connect()
    ends = signer_end(desk)
    window = None
    if window_after_end is not None:
        starts = ends + window_after_end
        window = Window(starts, starts + timedelta(hours=2))
    monkeypatch.setitem(WINDOWS._items, "cutover", lambda tenant_id: window)
    found = finding(desk)
    assert (found.outcome, bool(found.fix)) == (outcome, outcome is not Outcome.PASS)


def test_a_certificate_that_ended_blocks_and_one_that_ends_soon_warns(desk: Desk) -> None:
    assert finding(desk).outcome is Outcome.PASS  # nobody is connected
    desk.connect()
    assert finding(desk, at=signer_end(desk) - timedelta(days=20)).outcome is Outcome.WARN
    assert finding(desk, at=signer_end(desk)).outcome is Outcome.BLOCK


def test_a_test_counts_no_longer_once_its_certificate_is_retired(desk: Desk) -> None:
    connection = desk.connect()
    test = desk.start()
    desk.answer(desk.provider.message(desk.provider.answer(test.connection, test, at=AT)))
    test.refresh_from_db()
    assert test.signed_by == print_of()
    assert known.is_trusted(connection, test.signed_by)
    by_hand(desk, "next")
    old = connection.certificates.get(fingerprint=print_of())
    assert old.signed_at == AT
    sso_certificates.retire(tenant_id=desk.tenant_id, certificate_id=old.pk, by=desk.by, at=AT)
    assert not known.is_trusted(connection, test.signed_by)


def test_only_owners_and_admins_decide_whom_to_trust() -> None:
    desk = desk_of(TenantRole.AUDITOR)
    common = {"tenant_id": desk.tenant_id, "by": desk.by, "at": AT}
    pk = make.tenant().pk
    with tenancy.scope(tenant_id=desk.tenant_id):
        for use in (
            lambda: sso_sources.follow(url=URL, **common),
            lambda: sso_sources.leave(**common),
            lambda: sso_sources.refresh(**common),
            lambda: sso_sources.accept(digest="", **common),
            lambda: sso_sources.refuse(digest="", **common),
            lambda: sso_certificates.add(text="", **common),
            lambda: sso_certificates.retire(certificate_id=pk, **common),
            lambda: sso_certificates.restore(certificate_id=pk, **common),
            lambda: sso_certificates.warn(**common),
        ):
            with pytest.raises(PermissionRefused):
                use()
