"""The pages of a tenant's entitlements, under `/t/<slug>/`."""

from django.urls import path

from entitlements.views import preview, why

app_name = "entitlements"

urlpatterns = [
    path("entitlements/", preview.show, name="preview"),
    path("entitlements/refresh/", preview.refresh, name="refresh"),
    path("entitlements/choose/", preview.choose, name="choose"),
    path("why/", why.show, name="why"),
    path("why/search/", why.search, name="search_why"),
    path("why/ask/", why.ask, name="ask_access"),
    path("why/requests/<uuid:access_id>/grant/", why.grant, name="grant_access"),
    path("why/requests/<uuid:access_id>/decline/", why.decline, name="decline_access"),
]
