"""The API of single sign-on: the connection, what it is believed by, whose attribute says what, and its tests.

A token sets it up and tests it. Once people sign in by it, a person changes what the provider is believed
(`docs/adr/0044-what-a-token-may-do-to-sign-in.md`).
"""

from accounts.api.sso import certificates, connection, mapping, metadata, tests

urlpatterns = [
    *connection.urlpatterns,
    *metadata.urlpatterns,
    *certificates.urlpatterns,
    *mapping.urlpatterns,
    *tests.urlpatterns,
]
