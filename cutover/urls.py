"""Cutover's pages of a tenant."""

from django.urls import path

from cutover.views import go_no_go, windows

app_name = "cutover"

urlpatterns = [
    path("cutover/", windows.summary, name="cutover"),
    path("cutover/window/", windows.window, name="window"),
    path("cutover/approver/", windows.approver, name="approver"),
    path("go-no-go/", go_no_go.current, name="go_no_go"),
    path("go-no-go/ask/", go_no_go.ask, name="ask"),
    path("go-no-go/<uuid:request_id>/", go_no_go.show, name="request"),
    path("go-no-go/<uuid:request_id>/begin/", go_no_go.begin, name="begin"),
    path("go-no-go/<uuid:request_id>/sign/", go_no_go.sign, name="sign"),
    path("go-no-go/<uuid:request_id>/veto/", go_no_go.veto, name="veto"),
    path("go-no-go/<uuid:request_id>/pack.zip", go_no_go.pack, name="pack"),
]
