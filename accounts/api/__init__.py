"""The API of accounts: domains, people, and how sign-in through an identity provider stands."""

from accounts.api import domain_links, domains, enforcement, people, sso

urlpatterns = [
    *domains.urlpatterns,
    *domain_links.urlpatterns,
    *people.urlpatterns,
    *sso.urlpatterns,
    *enforcement.urlpatterns,
]
