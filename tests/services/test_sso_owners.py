"""An admin does not become an owner by what they let the provider say."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.domain.attributes import AttributeMapping
from accounts.models import Member, SsoCertificate
from accounts.services import identity_links, sso, sso_certificates, sso_mapping, sso_sources
from core import tenancy
from core.actor import Actor
from core.errors import PermissionRefused
from core.permissions import TenantRole
from tests import company as companies
from tests import make
from tests.company import Company
from tests.sso import Provider, linked, signer

pytestmark = pytest.mark.django_db
AT = timezone.now()

WAYS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another key": lambda given: sso.connect(document=Provider(signer("theirs")).metadata(), **given),
    "a certificate": lambda given: sso_certificates.add(text=signer("theirs").certificate, **given),
    "a retired one": lambda given: sso_certificates.restore(certificate_id=make.SYSTEM.known_id, **given),
    "an address": lambda given: sso_sources.follow(url="https://theirs.example/metadata", **given),
    "a change": lambda given: sso_sources.accept(digest="", **given),
    "a mapping": lambda given: sso_mapping.choose(mapping=AttributeMapping(external_id="nickname"), **given),
}


@pytest.fixture
def company() -> Company:
    return companies.found()


def admin_of(company: Company) -> Actor:
    with make.arranging():
        tenant = company.olivia.tenant
    return make.actor(make.member(tenant, TenantRole.ADMIN))


@pytest.mark.parametrize("way", WAYS)
def test_an_admin_lets_nothing_new_be_believed_where_owners_sign_in(company: Company, way: str) -> None:
    with make.arranging():
        owner = Member.objects.get(user_id=company.owner.id)
    linked(owner, company.owner, name="owner")
    with tenancy.scope(tenant_id=company.tenant_id), pytest.raises(PermissionRefused, match="only an owner"):
        WAYS[way]({"tenant_id": company.tenant_id, "by": admin_of(company), "at": AT})


def test_a_rule_that_links_owners_counts_as_well(company: Company) -> None:
    company.rule("link")
    with tenancy.scope(tenant_id=company.tenant_id), pytest.raises(PermissionRefused):
        WAYS["a certificate"]({"tenant_id": company.tenant_id, "by": admin_of(company), "at": AT})


def test_until_then_an_admin_does_and_then_an_owner(company: Company) -> None:
    given = {"tenant_id": company.tenant_id, "at": AT}
    company.link()  # Olivia is no owner
    admin = admin_of(company)
    with tenancy.scope(tenant_id=company.tenant_id):
        sso_certificates.add(text=signer("next").certificate, by=admin, **given)
    company.rule("link")
    with tenancy.scope(tenant_id=company.tenant_id):
        sso_certificates.add(text=signer("after").certificate, by=company.owner, **given)
        assert SsoCertificate.objects.count() == 3
        with pytest.raises(identity_links.UnableToRule):
            identity_links.make_rule(domain="airline.example", kind="join", by=admin, **given)
