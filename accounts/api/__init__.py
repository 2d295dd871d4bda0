"""The API of accounts: domains, and how sign-in through an identity provider stands."""

from accounts.api import domain_links, domains, enforcement, sso

urlpatterns = [
    *domains.urlpatterns,
    *domain_links.urlpatterns,
    *sso.urlpatterns,
    *enforcement.urlpatterns,
]
