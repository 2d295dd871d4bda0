"""What nobody may delete goes while its deletion is carried out and no legal hold stands, and only then.

An order whose job was given up opens nothing any more, nor does one that a legal hold stopped.
"""

from django.db import migrations, models

from core.holds import LEGAL_HOLD

ORDERED = {
    "findings": (
        "parity_reports_report", "parity_reports_entityresult", "parity_reports_sample",
        "parity_reports_invariantresult", "parity_reports_drift", "parity_reports_reconciliation",
        "parity_reports_reconciliationitem",
    ),
    "contracts": ("entitlements_snapshot", "entitlements_mismatch"),
}  # fmt: skip
LONGEST = "1 hour"
"""Longer than any attempt at carrying a deletion out."""


def _policy(table: str, dataset: str, *, lasts: str = "", unless: str = "") -> str:
    return f"""
        DROP POLICY by_order ON "{table}";
        CREATE POLICY by_order ON "{table}" AS RESTRICTIVE FOR DELETE TO crossing_app USING (tenant_id IN (
            SELECT d.tenant_id FROM compliance_deletion d
             WHERE d.dataset = '{dataset}' AND d.done_at IS NULL {lasts}) {unless})
        """  # noqa: S608 - names of this file


def _replaced(table: str, dataset: str) -> migrations.RunSQL:
    lasts = f"AND d.begun_at > now() - interval '{LONGEST}'"
    unless = f"""AND tenant_id NOT IN (
            SELECT h.tenant_id FROM core_hold h
             WHERE h.kind = '{LEGAL_HOLD}' AND h.ended_at IS NULL AND h.expires_at > now())"""  # noqa: S608
    return migrations.RunSQL(_policy(table, dataset, lasts=lasts, unless=unless), _policy(table, dataset))


class Migration(migrations.Migration):
    dependencies = [
        ("compliance", "0002_erased_by_order"),
        ("core", "0005_readiness"),
    ]

    operations = [
        migrations.AddField(
            model_name="deletion",
            name="begun_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="deletion",
            name="parity_sha256",
            field=models.CharField(blank=True, default="", editable=False, max_length=64),
        ),
        migrations.RunSQL(
            "GRANT UPDATE (begun_at, parity_sha256) ON compliance_deletion TO crossing_app, crossing_staff",
            "REVOKE UPDATE (begun_at, parity_sha256) ON compliance_deletion FROM crossing_app, crossing_staff",
        ),
        *(_replaced(table, dataset) for dataset, tables in ORDERED.items() for table in tables),
    ]
