"""The API of accounts: domains, people, access, and how sign-in through an identity provider stands."""

from accounts.api import access, domain_links, domains, enforcement, people, provisioning, sign_ins, sso

urlpatterns = [
    *domains.urlpatterns,
    *domain_links.urlpatterns,
    *people.urlpatterns,
    *access.urlpatterns,
    *provisioning.urlpatterns,
    *sso.urlpatterns,
    *enforcement.urlpatterns,
    *sign_ins.urlpatterns,
]
