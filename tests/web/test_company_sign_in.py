"""Who may come in by a password while a company's own sign-in alone counts, and what the others see."""

import re
import time
from collections.abc import Iterator

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import BreakGlassOwner, Cutback, LinkProposal, Member, SsoConnection, StandingRule, User
from accounts.services import break_glass, enforcement
from core import tenancy
from core.permissions import StaffRole, TenantRole
from tests import enforcing, make
from tests.enforcing import DAY, Company

pytestmark = pytest.mark.django_db
PASSWORD = "long and secret words"


@pytest.fixture
def company() -> Iterator[Company]:
    found = enforcing.company(password=PASSWORD)
    with tenancy.scope(tenant_id=found.tenant_id):
        enforcing.prepare(found)
        enforcing.enforce(found)
    for owner in found.owners:
        EmailAddress.objects.create(user=owner.user, email=owner.user.email, verified=True, primary=True)
    return found


def overview(company: Company) -> str:
    return reverse("dashboard:overview", args=[company.tenant.slug])


def sign_in(client: Client, company: Company, password: str = PASSWORD):
    email = company.owners[0].user.email
    return client.post(reverse("account_login"), {"login": email, "password": password})


def opened_by(client: Client, user: object, **record: object) -> Client:
    """Sign a person in with a session that was opened so."""
    client.force_login(user)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"at": 0, **record}]
    session[f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"] = str(user.pk)  # type: ignore[attr-defined]
    session.save()
    return client


def provider_id(company: Company) -> str:
    with make.arranging():
        return SsoConnection.objects.get(tenant=company.tenant).provider_id


def test_a_right_password_leads_to_the_companys_sign_in(client: Client, company: Company) -> None:
    assert reverse("recovery:recover") in client.get(reverse("account_login")).content.decode()
    refused = sign_in(client, company)
    assert refused.status_code == 403
    assert reverse("sso:start", args=[provider_id(company)]) in refused.content.decode()
    assert "_auth_user_id" not in client.session
    wrong = sign_in(client, company, "something else entirely")
    assert wrong.status_code == 200
    assert "company" not in wrong.context["form"].errors.as_text()


def test_it_counts_again_when_it_is_not_enforced_any_more(client: Client, company: Company) -> None:
    with tenancy.scope(tenant_id=company.tenant_id):
        enforcement.end(tenant_id=company.tenant_id, by=company.by, at=timezone.now())
    assert sign_in(client, company).status_code == 302
    assert client.get(overview(company)).status_code == 200


def test_it_counts_while_a_cutback_runs(client: Client, company: Company) -> None:
    enforcing.cut_back(company)
    assert sign_in(client, company).status_code == 302
    page = client.get(overview(company))
    assert page.status_code == 200
    assert "Passwords sign you in for some hours" in page.content.decode()


def test_what_would_outlive_a_cutback_is_not_made_in_a_session_that_it_lent(client: Client, company: Company) -> None:
    enforcing.cut_back(company)
    with make.arranging():
        mine = company.seats()[0]
    user, add, fresh = company.owners[0].user, reverse("mfa_add_webauthn"), {"at": time.time(), "reauthenticated": True}
    issue = reverse("accounts:issue_recovery_codes", args=[company.tenant.slug, mine.pk])
    page = reverse("accounts:enforcement", args=[company.tenant.slug])
    opened_by(client, user, method="password", **fresh)
    refused = client.get(add)
    assert refused.status_code == 403
    assert "for some hours only" in refused.content.decode()
    assert client.post(add, {"name": "Mine", "credential": "{}"}).status_code == 403
    assert client.post(issue).status_code == 422
    assert issue not in client.get(page).content.decode()
    opened_by(client, user, method="saml", tenant_id=str(company.tenant_id), **fresh)
    assert client.get(add).status_code == 200
    assert issue in client.get(page).content.decode()
    assert client.post(issue).status_code == 200


def test_what_only_owners_may_do_an_admin_sees_said_and_not_as_a_form(client: Client, company: Company) -> None:
    with make.arranging():
        member = make.member(company.tenant, TenantRole.ADMIN, person=make.user(email="admin@airline.example"))
        make.member(company.tenant, TenantRole.OWNER)  # who could have a seat
        cutback = enforcing.cut_back(company)
        Cutback.objects.filter(pk=cutback.pk).update(
            starts_at=None, ends_at=None, customer_approved_at=None, customer_approved_by=None
        )
        StandingRule.objects.create(
            tenant=company.tenant, domain="airline.example", kind="link", made_at=timezone.now(), made_by=member.user_id
        )
        rejected = LinkProposal.objects.create(
            tenant=company.tenant, member=company.owners[0], user_name="mallory", reason="to_be_approved",
            proposed_at=timezone.now(), decided_at=timezone.now(), decided_by=member.user_id, is_approved=False,
        )  # fmt: skip

    def pages(user: User, *names: str) -> list[str]:
        opened_by(client, user, method="saml", tenant_id=str(company.tenant_id))
        return [client.get(reverse(f"accounts:{name}", args=[company.tenant.slug])).content.decode() for name in names]

    where = {
        "enforcement": ("name_break_glass", "approve_cutback", "issue_recovery_codes"),
        "sso": ("connect_sso", "follow_sso", "add_sso_certificate"),
        "sso_links": ("make_link_rule", "reopen_link"),
    }
    args = {"name_break_glass": [1], "approve_cutback": [cutback.pk], "reopen_link": [rejected.pk]}
    with make.arranging():
        args["issue_recovery_codes"] = [company.seats()[0].pk]

    def actions(name: str) -> list[str]:
        return [
            f'action="{reverse(f"accounts:{form}", args=[company.tenant.slug, *args.get(form, [])])}"'
            for form in where[name]
        ]

    for name, shown in zip(where, pages(member.user, *where), strict=True):
        assert "An owner of your account does that" in shown
        assert [action for action in actions(name) if action in shown] == []
    for name, shown in zip(where, pages(company.owners[0].user, *where), strict=True):
        assert "An owner of your account does that" not in shown
        assert [action for action in actions(name) if action not in shown] == []


@pytest.mark.parametrize(
    ("record", "status"),
    [
        ({"method": "password"}, 403),
        ({"method": "mfa", "type": "totp"}, 403),
        ({"method": "mfa", "type": "webauthn"}, 403),
        ({"method": "mfa", "type": "webauthn", "passwordless": True}, 200),
        ({"method": "saml", "tenant_id": "another"}, 403),
        ({"method": "recovery_code", "tenant_id": "another"}, 403),
        ({"method": "saml"}, 403),
        ({}, 403),
    ],
)
def test_a_session_counts_by_how_it_was_opened(
    client: Client, company: Company, record: dict[str, object], status: int
) -> None:
    page = opened_by(client, company.owners[0].user, **record).get(overview(company))
    assert page.status_code == status


@pytest.mark.parametrize("method", ["saml", "recovery_code"])
def test_the_companys_own_sign_in_counts(client: Client, company: Company, method: str) -> None:
    opened_by(client, company.owners[0].user, method=method, tenant_id=str(company.tenant_id))
    assert client.get(overview(company)).status_code == 200


def test_who_belongs_to_several_accounts_goes_on_in_the_others(client: Client, company: Company) -> None:
    other = make.member(make.tenant(), TenantRole.ADMIN, person=company.owners[0].user)
    assert sign_in(client, company).status_code == 302
    assert client.get(reverse("dashboard:overview", args=[other.tenant.slug])).status_code == 200
    refused = client.get(overview(company))
    assert refused.status_code == 403
    assert f"?next={overview(company)}" in refused.content.decode()


def test_other_accounts_and_staff_are_not_concerned(client: Client, company: Company) -> None:
    other = make.member(make.tenant(), TenantRole.OWNER)
    client.force_login(other.user)
    assert client.get(reverse("dashboard:overview", args=[other.tenant.slug])).status_code == 200
    staff = make.staff(StaffRole.CS)
    make.member(company.tenant, TenantRole.MEMBER, person=staff)
    client.force_login(staff)
    assert client.get(overview(company)).status_code == 200


def test_what_is_only_announced_refuses_nobody(client: Client, company: Company) -> None:
    with tenancy.scope(tenant_id=company.tenant_id):
        enforcement.end(tenant_id=company.tenant_id, by=company.by, at=timezone.now())
        at = timezone.now()
        enforcing.enforce(company, takes_effect_at=at + 7 * DAY, at=at)
    assert sign_in(client, company).status_code == 302
    page = client.get(overview(company))
    assert "Soon you sign in by your company alone" in page.content.decode()


def test_a_recovery_code_signs_its_owner_in_once(client: Client, company: Company) -> None:
    where, email, code = reverse("recovery:recover"), company.owners[0].user.email, company.codes[0][0]
    assert client.get(where).status_code == 200
    assert client.post(where, {"email": email, "code": "AAAAA"}).status_code == 403
    assert client.post(where, {"email": "nobody@x.example", "code": code}).status_code == 403
    came_in = client.post(where, {"email": email.upper(), "code": code.lower()})
    assert came_in.status_code == 302
    page = client.get(came_in["Location"])
    assert page.status_code == 200
    assert "Needs a new set" in page.content.decode()
    assert "Last used" in page.content.decode()
    assert client.post(where, {"email": email, "code": code}).status_code == 403
    assert client.post(where, {"email": "", "code": ""}).status_code == 422


def test_guessing_codes_is_slowed_and_keeps_no_owner_out(client: Client, company: Company) -> None:
    where, email = reverse("recovery:recover"), company.owners[0].user.email
    statuses = [client.post(where, {"email": email, "code": f"AAAA{n}"}).status_code for n in range(11)]
    assert (statuses[0], statuses[9], statuses[10]) == (403, 403, 429)
    right = {"email": email, "code": company.codes[0][0]}
    assert client.post(where, right).status_code == 429
    assert (
        Client(headers={"x-forwarded-for": "192.0.2.7"}, REMOTE_ADDR="192.0.2.7").post(where, right).status_code == 302
    )


def test_a_recovery_code_opens_where_somebody_else_was_signed_in(client: Client, company: Company) -> None:
    client.force_login(make.user())
    came_in = client.post(
        reverse("recovery:recover"), {"email": company.owners[0].user.email, "code": company.codes[0][0]}
    )
    assert client.get(came_in["Location"]).status_code == 200


def test_a_passkey_is_added_only_where_every_account_opens(client: Client, company: Company) -> None:
    """Or a password that one account takes would open, by a passkey, those of companies that take none."""
    user, add = company.owners[0].user, reverse("mfa_add_webauthn")
    other = make.member(make.tenant(), TenantRole.ADMIN, person=user)
    fresh = {"at": time.time(), "reauthenticated": True}
    refused = opened_by(client, user, method="password", **fresh).get(add)
    assert refused.status_code == 403
    assert company.tenant.name in refused.content.decode()
    assert client.post(add, {"name": "Mine", "credential": "{}"}).status_code == 403
    opened_by(client, user, method="saml", tenant_id=str(company.tenant_id), **fresh)
    assert client.get(add).status_code == 200
    assert client.get(reverse("dashboard:overview", args=[other.tenant.slug])).status_code == 200


def test_codes_are_shown_once_to_their_owner_and_to_nobody_else(client: Client, company: Company) -> None:
    with make.arranging():
        mine, theirs = company.seats()
    opened_by(client, company.owners[0].user, method="saml", tenant_id=str(company.tenant_id))
    url = reverse("accounts:issue_recovery_codes", args=[company.tenant.slug, mine.pk])
    shown = client.post(url)
    assert shown.content.decode().count("<li><code>") == 5
    assert "no-store" in shown["Cache-Control"]
    assert client.get(url).status_code == 405
    other = reverse("accounts:issue_recovery_codes", args=[company.tenant.slug, theirs.pk])
    assert client.post(other).status_code == 422


def seats_of(client: Client, company: Company) -> list[tuple[list[str], str]]:
    """Whom each seat may be given to, and what stands there of its codes."""
    client.force_login(company.owners[0].user)
    page = client.get(reverse("accounts:enforcement", args=[company.tenant.slug]))
    blocks = page.content.decode().split('id="glass-title"')[1].split("</section>")[0].split("<h3>")[1:]
    said = (re.search(r"\d+ codes? left|No codes were made yet", block) for block in blocks)
    return [
        (re.findall(r"<option [^>]*>([^<]*)<", block), words.group() if words else "")
        for block, words in zip(blocks, said, strict=True)
    ]


def test_an_owner_is_offered_where_they_can_be_had_and_nobody_is_said_to_have_used_codes_up(client: Client) -> None:
    found = enforcing.company()
    first, second = found.owners
    names = [str(owner.user) for owner in found.owners]

    def name(seat: int, owner: Member) -> BreakGlassOwner:
        at = timezone.now()
        return break_glass.name(tenant_id=found.tenant_id, member=owner, seat=seat, by=found.by, at=at)

    assert seats_of(client, found) == [(names, ""), (names, "")]
    with tenancy.scope(tenant_id=found.tenant_id):
        Member.objects.filter(pk=second.pk).update(role=TenantRole.ADMIN)
    assert seats_of(client, found) == [(names[:1], ""), ([], "")]
    with tenancy.scope(tenant_id=found.tenant_id):
        seat = name(1, first)
    assert seats_of(client, found) == [([], "No codes were made yet"), ([], "")]
    with tenancy.scope(tenant_id=found.tenant_id):
        Member.objects.filter(pk=second.pk).update(role=TenantRole.OWNER)
        break_glass.issue(owner=seat, by=found.by, at=timezone.now())
        seat.codes.update(used_at=timezone.now())
    assert seats_of(client, found) == [(names[1:], "0 codes left"), (names[1:], "")]


def test_the_page_names_announces_and_ends(client: Client) -> None:
    found = enforcing.company()
    with tenancy.scope(tenant_id=found.tenant_id):
        enforcing.prepare(found)
    client.force_login(found.owners[0].user)

    def post(name: str, *more: object, **data: object):
        return client.post(reverse(f"accounts:{name}", args=[found.tenant.slug, *more]), data)

    begins = timezone.localdate() + 3 * DAY
    form = {"begins_on": begins, "until": begins + 30 * DAY, "reason": "As agreed."}
    grave = post("announce_enforcement", **form)
    assert grave.status_code == 422
    assert "2 of 2 people would not get in by themselves" in grave.content.decode()
    assert grave.context["announce_form"].data["reason"] == "As agreed."
    with tenancy.scope(tenant_id=found.tenant_id):
        seen = enforcing.accepted(found)
    assert post("announce_enforcement", accepted_list=seen, **form).status_code == 302
    page = client.get(reverse("accounts:enforcement", args=[found.tenant.slug])).content.decode()
    assert "Announced" in page
    assert post("name_break_glass", 1, member="nonsense").status_code == 422
    assert post("name_break_glass", 1, member=found.owners[1].pk).status_code == 422
    assert post("announce_enforcement", begins_on="", until="x", reason="").status_code == 422
    assert post("announce_enforcement", begins_on="9999-12-31", until="9999-12-31", reason="y").status_code == 422
    assert post("ask_cutback", reason="Down.", hours=2).status_code == 422
    assert post("end_enforcement").status_code == 302
    assert (
        "Passwords sign your people in"
        in client.get(reverse("accounts:enforcement", args=[found.tenant.slug])).content.decode()
    )
