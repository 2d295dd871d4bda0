"""The API of accounts: domains, and how sign-in through an identity provider stands."""

from accounts.api import domains, sso

urlpatterns = [*domains.urlpatterns, *sso.urlpatterns]
