"""What staff search for stands in no address: of a list, of its further pages, of a look-up as one types."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.admin import site
from django.urls import reverse

from core import searches
from core.admin import StaffAdmin
from core.permissions import StaffRole, TenantRole
from tests import make

pytestmark = pytest.mark.django_db

DATUM = "olive@hawaiian.example"
MEMBERS = reverse("admin:accounts_member_changelist")
USERS = reverse("admin:accounts_user_changelist")
SEARCHED = [model for model, page in site._registry.items() if page.search_fields]


@pytest.fixture
def auditor(client):
    client.force_login(make.staff(StaffRole.AUDITOR))
    return client


@pytest.fixture
def people():
    tenant = make.tenant("Hawaiian Airlines")
    owner = make.member(tenant, TenantRole.OWNER, person=make.user("Olive Kahale", email=DATUM))
    other = make.member(tenant, TenantRole.MEMBER, person=make.user("Noa Akana", email="noa@hawaiian.example"))
    return owner, other


def listed(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def search(client, url, words, **filters):
    """Type words into a list's field and return its address and its page."""
    sent = client.post(f"{url}?{'&'.join(f'{name}={value}' for name, value in filters.items())}", {"q": words})
    assert sent.status_code == 302
    return sent.url, client.get(sent.url).content.decode()


def test_no_list_is_searched_by_its_address(auditor):
    """Every list that can be searched, whoever writes the next one: the words leave the address and find nothing."""
    assert len(SEARCHED) > 40
    for model in SEARCHED:
        assert isinstance(site._registry[model], StaffAdmin), model
        answer = auditor.get(listed(model), {"q": DATUM, "o": "1"})
        assert (answer.status_code, answer.url) == (302, f"{listed(model)}?o=1"), model


def test_no_look_up_as_one_types_is_made_by_an_address(auditor, people):
    asked = {"app_label": "accounts", "model_name": "member", "field_name": "user", "term": DATUM}
    assert auditor.get(reverse("admin:autocomplete"), asked).status_code == 404


def test_no_list_is_filtered_by_words_that_its_page_does_not_offer(auditor, people):
    for lookup in ("email", "email__exact", "email__startswith", "name__icontains"):
        assert auditor.get(USERS, {lookup: DATUM}).status_code == 400, lookup


def test_a_search_finds_and_its_address_tells_nothing(auditor, people):
    owner, other = people
    for words in (DATUM, "olive kahale", f"  {DATUM}\0 "):
        address, page = search(auditor, MEMBERS, words)
        assert set(parse_qs(urlsplit(address).query)) == {"q"}
        assert "olive" not in address.lower()
        assert f"/{owner.pk}/change/" in page
        assert f"/{other.pk}/change/" not in page
    assert f'value="{DATUM}"' in page  # the field keeps it, and the page leads to nothing that does not
    assert DATUM not in " ".join(part.split('"')[0] for part in page.split('href="')[1:])


def test_filters_and_pages_keep_the_search(auditor, people, monkeypatch):
    owner, other = people
    monkeypatch.setattr(site._registry[type(owner)], "list_per_page", 1)
    address, page = search(auditor, MEMBERS, "hawaiian.example", role__exact="owner", p="2")
    query = parse_qs(urlsplit(address).query)
    assert set(query) == {"q", "role__exact"}
    assert f"/{owner.pk}/change/" in page
    assert f"/{other.pk}/change/" not in page
    assert f"q={query['q'][0]}" in page  # in the links of the filters
    both = [auditor.get(MEMBERS, {"q": query["q"][0], "p": number}).content.decode() for number in (1, 2)]
    assert sorted(f"/{other.pk}/change/" in page for page in both) == [False, True]


def test_an_empty_search_ends_it_and_anothers_reference_is_none(auditor, people, client):
    address, _ = search(auditor, MEMBERS, DATUM)
    assert auditor.post(address, {"q": " "}).url == MEMBERS
    client.force_login(make.staff(StaffRole.AUDITOR))
    answer = client.get(address, follow=True)
    assert answer.redirect_chain == [(MEMBERS, 302)]
    assert "Type what you look for into the field" in answer.content.decode()


def test_the_session_keeps_the_last_few_and_none_of_them_readable(auditor, people):
    first, _ = search(auditor, MEMBERS, DATUM)
    for number in range(searches._KEPT):
        auditor.post(MEMBERS, {"q": f"nobody {number}"})
    assert auditor.get(first).url == MEMBERS
    kept = auditor.session["searches"]
    assert len(kept) == searches._KEPT
    assert "nobody" not in str(kept)


def test_whoever_may_not_see_a_list_searches_nothing(client, people):
    client.force_login(make.staff())
    assert client.post(MEMBERS, {"q": DATUM}).status_code == 403
    assert "searches" not in client.session
