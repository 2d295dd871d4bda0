"""The pages of integrations, under `/t/<slug>/`."""

from django.urls import path

from integrations.views import messages, overview, tokens

app_name = "integrations"

urlpatterns = [
    path("tokens/", tokens.listing, name="tokens"),
    path("tokens/<uuid:token_id>/rotate/", tokens.rotate, name="rotate_token"),
    path("tokens/<uuid:token_id>/revoke/", tokens.revoke, name="revoke_token"),
    path("integrations/", overview.overview, name="overview"),
    path("integrations/read/", overview.read, name="read"),
    path("integrations/accept/", overview.accept, name="accept"),
    path("integrations/items/<uuid:item_id>/", overview.decide, name="decide"),
    path("integrations/endpoints/", overview.register, name="register"),
    path("integrations/endpoints/<uuid:endpoint_id>/harness/", overview.run_harness, name="run_harness"),
    path("integrations/endpoints/<uuid:endpoint_id>/test/", overview.send_test, name="send_test"),
    path("integrations/endpoints/<uuid:endpoint_id>/off/", overview.switch_off, name="switch_off"),
    path("integrations/messages/", messages.listing, name="messages"),
    path("integrations/messages/<uuid:message_id>/resend/", messages.resend, name="resend"),
]
