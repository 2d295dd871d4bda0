"""The access review on screen and as files."""

import csv
import hashlib
import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook
from pypdf import PdfReader

from accounts.models import AccessLine, AccessReview, LegacyPerson, Member, NewPerson
from accounts.services.access import reviews
from accounts.views.access import PER_PAGE
from core import pdf, queue, tenancy
from core.actor import Actor
from core.approvals import seals
from core.evidence import verifier
from core.models import Job
from core.permissions import TenantRole
from tests import make
from tests.signing import confirm

pytestmark = pytest.mark.django_db
needs_pango = pytest.mark.skipif(not pdf.is_possible(), reason="PDFs need Pango: apt-get install libpangoft2-1.0-0")
FORMULA = "=HYPERLINK(1)"


@pytest.fixture
def owner(client: Client) -> Member:
    tenant = make.tenant("Zebra Air", slug="zebra")
    made = make.member(tenant)
    make.member(tenant, TenantRole.MEMBER, person=make.user(FORMULA))
    client.force_login(made.user)
    return made


def begin(owner: Member) -> AccessReview:
    at = timezone.now()
    with tenancy.scope(tenant_id=owner.tenant_id):
        return reviews.begin(
            tenant_id=owner.tenant_id, due_on=at.date() + timedelta(days=14), by=make.actor(owner), at=at
        )


def test_a_review_is_begun_decided_and_finished_on_the_page(owner: Member, client: Client) -> None:
    assert "Begin a review" in client.get("/t/zebra/access/").content.decode()
    due = (timezone.now() + timedelta(days=14)).date().isoformat()
    at = client.post("/t/zebra/access/reviews/", {"due_on": due})["Location"]
    page = client.get(at).content.decode()
    assert "0 of 2 decided" in page
    with make.arranging():
        mine, theirs = AccessLine.objects.get(member=owner), AccessLine.objects.exclude(member=owner).get()
    assert client.post(f"{at}decide/", {"line": [mine.pk]}).status_code == 422
    assert client.post(f"{at}decide/", {"chosen": "1"}).status_code == 422
    refused = client.post(f"{at}finish/")
    assert refused.status_code == 422
    assert "2 people are not decided about yet" in refused.content.decode()
    client.post(f"{at}decide/", {"chosen": "1", "line": [mine.pk]})
    asked = client.post(f"{at}decide/", {"revoke": theirs.pk, "ask_first": "Sure?", "ask_label": "Take away"})
    assert asked.status_code == 200  # without JavaScript a page of its own asks
    client.post(f"{at}decide/", {"revoke": theirs.pk})
    assert "2 of 2 decided" in client.get(at).content.decode()
    client.post(f"{at}finish/")
    page = client.get(at).content.decode()
    assert "Finished, not signed yet" in page
    shown = page.partition('name="evidence" value="')[2].partition('"')[0]
    asked = client.post(f"{at}signature/sign/", {"evidence": shown})
    assert asked["Location"].startswith("/accounts/reauthenticate/?next=")
    confirm(client, owner.user, "password")
    client.post(f"{at}signature/sign/", {"evidence": shown})
    assert "Finished and signed" in client.get(at).content.decode()
    pack = client.get(f"{at}pack/").getvalue()
    assert verifier.verify(pack, server_key=seals.public_key()).problems == []
    summary = json.loads(verifier.read_archive(pack)["evidence/parts/accounts.access_review.json"])
    lines = client.get(f"{at}file.jsonl").getvalue()
    assert hashlib.sha256(lines).hexdigest() == summary["lines_sha256"]


def test_a_large_account_sees_how_far_it_is_and_then_the_review(
    owner: Member, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviews, "AT_ONCE", 1)
    due = (timezone.now() + timedelta(days=14)).date().isoformat()
    at = client.post("/t/zebra/access/reviews/", {"due_on": due})["Location"]
    page = client.get(at).content.decode()
    assert "It begins when one of our servers is free." in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    assert f'hx-get="{at}" hx-trigger="every 2s"' in page
    assert "Being written down" in client.get("/t/zebra/access/").content.decode()
    assert client.get(f"{at}file.csv").status_code == 404
    again = client.post("/t/zebra/access/reviews/", {"due_on": due})
    assert "A review is under way already" in again.content.decode()
    live = {"HTTP_HX_REQUEST": "true"}
    part = client.get(at, **live).content.decode()
    assert part.lstrip().startswith('<div class="stack wide" id="writing"')
    queue.run_pending(at=timezone.now() + timedelta(seconds=1))
    assert client.get(at, **live)["HX-Refresh"] == "true"
    assert "0 of 2 decided" in client.get(at).content.decode()


def test_a_large_review_that_did_not_begin_says_why_and_what_to_do(
    owner: Member, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviews, "AT_ONCE", 1)
    at = f"/t/zebra/access/reviews/{begin(owner).pk}/"
    with make.arranging():
        Job.objects.update(state="dead", finished_at=timezone.now(), problem="It took <long> and was stopped.")
    assert "It took &lt;long&gt; and was stopped." in client.get(at).content.decode()
    with make.arranging():
        reviews.give_up(by=Actor.system("access_review"), at=timezone.now())
    page = client.get(at).content.decode()
    assert "This review did not begin" in page
    assert "It took &lt;long&gt; and was stopped." in page
    overview = client.get("/t/zebra/access/").content.decode()
    assert "Did not begin" in overview
    assert "Begin the review" in overview


def test_a_review_is_abandoned_on_the_page_with_a_reason(owner: Member, client: Client) -> None:
    at = f"/t/zebra/access/reviews/{begin(owner).pk}/"
    assert client.post(f"{at}abandon/", {"reason": " "}).status_code == 422
    client.post(f"{at}abandon/", {"reason": "The list <was> wrong"})
    page = client.get(at).content.decode()
    assert "“The list &lt;was&gt; wrong”" in page
    assert page.count("Not decided") == 2
    assert "To decide" not in page
    assert "Attest" not in page
    assert client.get(f"{at}pack/").status_code == client.get(f"{at}file.jsonl").status_code == 404
    assert "Abandoned" in client.get("/t/zebra/access/").content.decode()


def test_a_page_offers_nothing_that_would_be_refused(owner: Member, client: Client) -> None:
    make.member(owner.tenant)  # a second owner
    admin = make.member(owner.tenant, TenantRole.ADMIN)
    at = f"/t/zebra/access/reviews/{begin(owner).pk}/"
    page = client.get(at).content.decode()
    assert page.count('name="attest"') == 3
    assert "Nobody attests their own access while somebody else can." in page
    assert "Attest the chosen" in page
    assert "Attest the chosen" not in client.get(f"{at}?difference=same").content.decode()  # nobody to be chosen
    client.force_login(admin.user)
    page = client.get(at).content.decode()
    assert page.count('name="attest"') == page.count('name="revoke"') == 1
    assert page.count("An owner&#x27;s access is attested by an owner.") == 2


def test_who_is_on_the_new_platform_alone_is_the_directorys_to_take_away(owner: Member, client: Client) -> None:
    with make.arranging():
        nora = NewPerson.objects.create(tenant_id=owner.tenant_id, key="p-1", name="Nora", role="planner")
    review = begin(owner)
    at = f"/t/zebra/access/reviews/{review.pk}/"
    assert "Take them out of your directory" in client.get(at).content.decode()
    rows = list(csv.DictReader(io.StringIO(client.get(f"{at}file.csv").getvalue().decode("utf-8-sig"))))
    ways = {row["Name"]: row["How they sign in"] for row in rows}
    assert ways.pop("Nora") == ""  # she has no account here, so she is not one who cannot sign in
    assert all(ways.values())
    with make.arranging():
        line = AccessLine.objects.get(review=review, new=nora)
    client.post(f"{at}decide/", {"chosen": "1", "line": [line.pk]})
    assert "Take them out of your directory" not in client.get(at).content.decode()


def test_a_pair_that_nobody_mapped_is_said_to_be_listed_twice(owner: Member, client: Client) -> None:
    with make.arranging():
        known, pk = {"tenant_id": owner.tenant_id, "name": "Nora", "role": "planner", "email": "n@z.example"}, uuid4()
        NewPerson.objects.create(key="p-1", **known)
        LegacyPerson.objects.create(pk=pk, person_id=pk, key="1", outcome="placeholder", rule="nobody", **known)
    page = client.get(f"/t/zebra/access/reviews/{begin(owner).pk}/").content.decode()
    assert page.count("Nora") > 1
    assert page.count('<span class="tag is-warn">Listed twice</span>') == 2
    assert page.count("is not a member here") == 1


def test_a_name_neither_turns_the_writing_around_nor_hides_anything(owner: Member, client: Client) -> None:
    make.member(owner.tenant, TenantRole.MEMBER, person=make.user("Eve\u202e\u200bnimda"))
    page = client.get(f"/t/zebra/access/reviews/{begin(owner).pk}/").content.decode()
    assert "<bdi>Eve��nimda</bdi>" in page
    assert not set("\u202e\u200b") & set(page)


def test_a_day_that_is_none_is_refused(owner: Member, client: Client) -> None:
    answer = client.post("/t/zebra/access/reviews/", {"due_on": "soon"})
    assert answer.status_code == 422
    assert "Say by when" in answer.content.decode()


def test_a_list_comes_in_pages_each_at_one_cost(owner: Member, client: Client) -> None:
    review = begin(owner)
    client.get(f"/t/zebra/access/reviews/{review.pk}/")
    with CaptureQueriesContext(connection) as few:
        client.get(f"/t/zebra/access/reviews/{review.pk}/")
    with make.arranging():
        first = AccessLine.objects.filter(review=review).earliest("number")
        AccessLine.objects.bulk_create(
            AccessLine(
                tenant_id=owner.tenant_id, review=review, number=n + 10, member_id=first.member_id, role="member",
                difference="same",
            )
            for n in range(PER_PAGE)
        )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        page = client.get(f"/t/zebra/access/reviews/{review.pk}/").content.decode()
    assert len(many) == len(few)
    assert page.count('name="line"') == PER_PAGE
    assert "page=2" in page
    at = f"/t/zebra/access/reviews/{review.pk}/"
    chosen = client.get(f"{at}?difference=same&choose=1").content.decode()
    assert chosen.count('" checked> <label') == PER_PAGE
    assert client.get(f"/t/zebra/access/reviews/{review.pk}/?page=2&left=1").content.decode().count('name="line"') == 2
    assert client.post(f"{at}decide/?difference=same&choose=1", {"same": "1"})["Location"] == f"{at}?difference=same"


def test_files_say_the_same_and_hold_no_formula(owner: Member, client: Client) -> None:
    review = begin(owner)
    for address in ("/t/zebra/access/file", f"/t/zebra/access/reviews/{review.pk}/file"):
        told = list(csv.reader(io.StringIO(client.get(f"{address}.csv").getvalue().decode("utf-8-sig"))))
        book = load_workbook(io.BytesIO(client.get(f"{address}.xlsx").getvalue()))
        cells = [cell for row in book["Access"].iter_rows() for cell in row]
        assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
        assert any(cell.value == FORMULA for cell in cells)
        assert told[0] == [cell.value for cell in next(book["Access"].iter_rows())]
        assert not any(value.startswith("=") for row in told for value in row)
        assert len(told) == 3
        assert client.get(f"{address}.exe").status_code == 404


def test_a_file_of_many_costs_no_more_queries_than_one_of_few(owner: Member, client: Client) -> None:
    with make.arranging():
        NewPerson.objects.create(tenant_id=owner.tenant_id, key="p-0", role="planner")
    at = f"/t/zebra/access/reviews/{begin(owner).pk}/file.xlsx"
    client.get(at).getvalue()
    with CaptureQueriesContext(connection) as few:
        client.get(at).getvalue()
    with make.arranging():
        line = AccessLine.objects.get(new__key="p-0")
        new = [NewPerson(tenant_id=owner.tenant_id, key=f"p-{n}", name=f"Person {n}") for n in range(1, 51)]
        told = {"tenant_id": owner.tenant_id, "review_id": line.review_id, "difference": line.difference}
        NewPerson.objects.bulk_create(new)
        AccessLine.objects.bulk_create(AccessLine(number=n, new=one, **told) for n, one in enumerate(new, start=10))
    with CaptureQueriesContext(connection) as many:
        book = load_workbook(io.BytesIO(client.get(at).getvalue()))
    assert book["Access"].max_row == 54
    assert len(many) == len(few)


@needs_pango
def test_the_pdf_names_everybody(owner: Member, client: Client) -> None:
    body = client.get("/t/zebra/access/file.pdf").getvalue()
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)
    assert "Zebra Air: who has access" in text
    assert owner.user.name in text
