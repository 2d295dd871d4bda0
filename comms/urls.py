"""Comms' pages of a tenant."""

from django.urls import path

from comms.views import messages, support

app_name = "comms"

urlpatterns = [
    path("status/", messages.status, name="status"),
    path("banners/dismiss/", messages.dismiss, name="dismiss"),
    path("messages/", messages.listing, name="messages"),
    path("messages/mine/", messages.prefer, name="prefer"),
    path("messages/<uuid:mailing_id>/", messages.message, name="message"),
    path("messages/<uuid:mailing_id>/skip/", messages.skip, name="skip"),
    path("support/", support.listing, name="support"),
    path("support/new/", support.new, name="new_case"),
    path("support/<uuid:case_id>/", support.case, name="case"),
    path("support/<uuid:case_id>/confirm/", support.confirm, name="confirm"),
]
