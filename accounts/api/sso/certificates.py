"""The API of the certificates that a provider signs with: add the next one, retire the old one."""

from uuid import UUID

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.sso.connection import NOT_BELIEVED, TAG, SigningCertificate
from accounts.queries import sso as known
from accounts.services import sso_certificates
from core.api import ApiView, Body, NoBody, Problem, Text, item_id, operation


class AddCertificate(Body):
    """A signing certificate of the provider."""

    example = {"certificate": "-----BEGIN CERTIFICATE-----\nMIIC…\n-----END CERTIFICATE-----"}

    certificate = Text(help_text="PEM, or the base64 of it.")


class Certificates(ApiView):
    """The certificates of the tenant's provider."""

    scopes = {"POST": "sso:write"}

    @operation(
        "add_sso_certificate", tag=TAG, answer=SigningCertificate, status=201, body=AddCertificate,
        summary="Trust another certificate",
        described="Beside the others, so that your provider may change over at a moment of its own. The same again "
        f"changes nothing; one that was retired is trusted again. {NOT_BELIEVED}",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Trust a certificate."""
        text = self.read(AddCertificate)["certificate"]
        added = sso_certificates.add(tenant_id=self.tenant_id, text=text, by=self.actor, at=self.at)
        return Response(SigningCertificate(added).data, status=201)


class OneCertificate(ApiView):
    """One certificate."""

    scopes = {"DELETE": "sso:write"}

    @operation(
        "retire_sso_certificate", tag=TAG, answer=None, status=204, summary="Trust a certificate no more",
        parameters=(item_id("certificate_id", "Id of a certificate."),),
        described="Even if the metadata go on listing it. The last one that counts is refused. Safe to repeat.",
    )  # fmt: skip
    def delete(self, request: Request, certificate_id: UUID) -> Response:
        """Retire it."""
        self.read(NoBody)
        if not known.certificates_of(tenant_id=self.tenant_id).filter(pk=certificate_id).exists():
            raise Problem("not-found", "There is no such certificate.")
        sso_certificates.retire(tenant_id=self.tenant_id, certificate_id=certificate_id, by=self.actor, at=self.at)
        return Response(status=204)


urlpatterns = [
    path("sso/certificates", Certificates.as_view(), name="sso_certificates"),
    path("sso/certificates/<uuid:certificate_id>", OneCertificate.as_view(), name="sso_certificate"),
]
