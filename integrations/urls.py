"""The pages of integrations, under `/t/<slug>/`."""

from django.urls import path

from integrations.views import endpoints, messages, overview, tokens

app_name = "integrations"

urlpatterns = [
    path("tokens/", tokens.listing, name="tokens"),
    path("tokens/<uuid:token_id>/rotate/", tokens.rotate, name="rotate_token"),
    path("tokens/<uuid:token_id>/revoke/", tokens.revoke, name="revoke_token"),
    path("integrations/", overview.overview, name="overview"),
    path("integrations/read/", overview.read, name="read"),
    path("integrations/accept/", overview.accept, name="accept"),
    path("integrations/items/<uuid:item_id>/", overview.decide, name="decide"),
    path("integrations/endpoints/", endpoints.register, name="register"),
    path("integrations/endpoints/<uuid:endpoint_id>/harness/", endpoints.run_harness, name="run_harness"),
    path("integrations/endpoints/<uuid:endpoint_id>/test/", endpoints.send_test, name="send_test"),
    path("integrations/endpoints/<uuid:endpoint_id>/off/", endpoints.switch_off, name="switch_off"),
    path("integrations/endpoints/<uuid:endpoint_id>/rotate/", endpoints.rotate_secret, name="rotate_secret"),
    path("integrations/endpoints/<uuid:endpoint_id>/end-old/", endpoints.end_old_secret, name="end_old_secret"),
    path("integrations/endpoints/<uuid:endpoint_id>/take-back/", endpoints.take_secret_back, name="take_secret_back"),
    path("integrations/messages/", messages.listing, name="messages"),
    path("integrations/messages/<uuid:message_id>/resend/", messages.resend, name="resend"),
]
