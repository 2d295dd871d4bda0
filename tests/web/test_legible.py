"""A name that hides something or turns the writing around: it is seen, wherever the name stands."""

import pytest
from django.core import mail
from django.template.loader import render_to_string

from core.legible import legible
from core.permissions import StaffRole, TenantRole
from tests import make

HIDING = "\u202e\u2066\u200b\u2060\ufeff"


def test_what_belongs_to_a_writing_stays():
    for name in ("Évé – “x”", "שלום\u200f", "می\u200cخواهم", "👩\u200d✈️", "a\tb\nc"):
        assert legible(name) == name
    assert legible(f"Eve{HIDING}") == "Eve" + "�" * len(HIDING)


@pytest.mark.django_db
def test_no_page_paper_or_mail_hides_a_part_of_a_name(client):
    tenant = make.tenant(f"Zebra{HIDING}Air", slug="zebra")
    owner = make.member(tenant, TenantRole.OWNER, person=make.user(f"Eve{HIDING}nimda"))
    client.force_login(owner.user)
    texts = [client.get("/t/zebra/members/").content.decode()]
    texts.append(render_to_string("portal/snapshot.html", {"tenant": tenant}))
    client.post("/t/zebra/members/invite/", {"email": "new@zebra.example", "role": "member"})
    texts += [mail.outbox[0].subject, mail.outbox[0].body]
    client.force_login(make.staff(StaffRole.PROGRAMME_MANAGER))
    texts.append(client.get("/admin/accounts/tenant/").content.decode())
    for text in texts:
        assert "Zebra�����Air" in text
        assert not set(HIDING) & set(text)
    assert "Eve�����nimda" in texts[0]
