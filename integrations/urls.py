"""The pages of integrations."""

from django.urls import path

from integrations.views import tokens

app_name = "integrations"

urlpatterns = [
    path("tokens/", tokens.listing, name="tokens"),
    path("tokens/<uuid:token_id>/rotate/", tokens.rotate, name="rotate_token"),
    path("tokens/<uuid:token_id>/revoke/", tokens.revoke, name="revoke_token"),
]
