"""What was promised, how it stands, and what an auditor may take along."""

from pathlib import Path
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.queries.tenants import Tenant
from compliance import verifier
from compliance.queries import files, kept, obligations
from compliance.services import evidence as packs
from core.approvals import seals
from core.permissions import Permission
from core.web import ActingRequest, tenant_view

PAGE = "compliance/promises.html"


@require_safe
@tenant_view(Permission.VIEW_OBLIGATIONS)
def listing(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show every promise with what keeps it, and the attestations."""
    rows = obligations.stand(tenant_id=tenant.pk, at=timezone.now())
    context = {
        "tenant": tenant,
        "rows": rows,
        "attestations": list(obligations.attestations(tenant_id=tenant.pk)),
        "kept": kept.kept(tenant_id=tenant.pk, at=timezone.now()),
        "under_way": obligations.open_deletions(tenant_id=tenant.pk).exists(),
        "server_key": seals.public_key().hex(),
        "may_freeze": request.actor.can(Permission.VIEW_EVIDENCE, tenant_id=tenant.pk),
    }
    return render(request, PAGE, context)


@require_POST
@tenant_view(Permission.VIEW_EVIDENCE)
def evidence(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Freeze the evidence of now and send it with its verifier."""
    name, body = packs.freeze(tenant_id=tenant.pk, by=request.actor, at=timezone.now())
    headers = {"Content-Disposition": f'attachment; filename="{tenant.slug}-{name}"'}
    return HttpResponse(body, content_type="application/zip", headers=headers)


@require_safe
@tenant_view(Permission.VIEW_OBLIGATIONS)
def attestation(request: ActingRequest, tenant: Tenant, attestation_id: UUID) -> HttpResponse:
    """Send an attestation as the file that verifies offline."""
    row = get_object_or_404(obligations.attestations(tenant_id=tenant.pk), pk=attestation_id)
    headers = {"Content-Disposition": f'attachment; filename="attestation-{row.sha256[:12]}.json"'}
    return HttpResponse(files.attestation(row), content_type="application/json", headers=headers)


@require_safe
@tenant_view(Permission.VIEW_OBLIGATIONS)
def verifier_file(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Send the verifier of attestations: one file that needs nothing of ours."""
    headers = {"Content-Disposition": 'attachment; filename="verify_attestation.py"'}
    return HttpResponse(Path(verifier.__file__).read_bytes(), content_type="text/x-python", headers=headers)
