"""Cutover's pages for the vendor's people."""

from django.urls import path

from cutover.views import staff

app_name = "staff_cutover"

urlpatterns = [
    path("go-no-go/", staff.waiting, name="waiting"),
    path("go-no-go/<uuid:request_id>/", staff.show, name="request"),
    path("go-no-go/<uuid:request_id>/begin/", staff.begin, name="begin"),
    path("go-no-go/<uuid:request_id>/sign/", staff.sign, name="sign"),
    path("go-no-go/<uuid:request_id>/pack.zip", staff.pack, name="pack"),
]
