"""Signing in by a tenant's identity provider, and the addresses that the provider knows (`/sso/<provider id>/…`)."""

from django.urls import path

from accounts.views import saml, sso_sign_in

app_name = "sso"

urlpatterns = [
    path("", sso_sign_in.ask, name="ask"),
    path("<slug:provider_id>/", sso_sign_in.start, name="start"),
    path("<slug:provider_id>/<uuid:sign_in_id>/", sso_sign_in.leave, name="leave"),
    path("<slug:provider_id>/<uuid:sign_in_id>/back/", sso_sign_in.finish, name="finish"),
    path("<slug:provider_id>/acs/", saml.acs, name="acs"),
    path("<slug:provider_id>/acs", saml.acs, name="acs_cut_short"),  # or a slip there ends at a page that says nothing
    path("<slug:provider_id>/metadata/", saml.metadata, name="metadata"),
]
