"""Compliance's pages of a tenant."""

from django.urls import path

from compliance.views import promises

app_name = "compliance"

urlpatterns = [
    path("promises/", promises.listing, name="promises"),
    path("promises/evidence/", promises.evidence, name="evidence"),
    path("promises/attestations/<uuid:attestation_id>.json", promises.attestation, name="attestation"),
    path("promises/verify_attestation.py", promises.verifier_file, name="verifier"),
]
