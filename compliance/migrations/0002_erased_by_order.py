"""Reports and snapshots, which nobody may delete, can go while their deletion is ordered, and only then."""

from django.db import migrations

ORDERED = {
    "findings": (
        "parity_reports_report", "parity_reports_entityresult", "parity_reports_sample",
        "parity_reports_invariantresult", "parity_reports_drift", "parity_reports_reconciliation",
        "parity_reports_reconciliationitem",
    ),
    "contracts": ("entitlements_snapshot", "entitlements_mismatch"),
}  # fmt: skip


def _allowed(table: str, dataset: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"""
        GRANT DELETE ON "{table}" TO crossing_app;
        CREATE POLICY by_order ON "{table}" AS RESTRICTIVE FOR DELETE TO crossing_app USING (EXISTS (
            SELECT FROM compliance_deletion d
             WHERE d.tenant_id = "{table}".tenant_id AND d.dataset = '{dataset}' AND d.done_at IS NULL))
        """,
        f'DROP POLICY by_order ON "{table}"; REVOKE DELETE ON "{table}" FROM crossing_app',
    )


class Migration(migrations.Migration):
    dependencies = [
        ("compliance", "0001_initial"),
        ("parity_reports", "0016_holds"),
        ("entitlements", "0002_access"),
    ]

    operations = [_allowed(table, dataset) for dataset, tables in ORDERED.items() for table in tables]
