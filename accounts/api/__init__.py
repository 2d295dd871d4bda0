"""The API of accounts: domains, members, people, access, and sign-in through an identity provider."""

from accounts.api import (
    access,
    domain_links,
    domains,
    enforcement,
    forecast,
    links,
    members,
    people,
    provisioning,
    sign_ins,
    sso,
)

urlpatterns = [
    *domains.urlpatterns,
    *domain_links.urlpatterns,
    *members.urlpatterns,
    *people.urlpatterns,
    *access.urlpatterns,
    *provisioning.urlpatterns,
    *sso.urlpatterns,
    *sign_ins.urlpatterns,
    *links.urlpatterns,
    *forecast.urlpatterns,
    *enforcement.urlpatterns,
]
