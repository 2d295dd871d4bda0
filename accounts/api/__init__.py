"""The API of accounts: domains, and how sign-in through an identity provider stands."""

from accounts.api import domains, enforcement, sso

urlpatterns = [*domains.urlpatterns, *sso.urlpatterns, *enforcement.urlpatterns]
