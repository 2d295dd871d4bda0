"""An index of the tenants' ledgers by subject: what was done to one row is told on its page, however long the chain is.

The programme's chain is left out: nobody looks a subject up there, and each page of the admin writes to it.
"""

from django.db import migrations, models

from core.rls import AUDIT

INDEX = models.Index(
    models.F("chain"),
    models.F("subject_id"),
    models.F("seq").desc(),
    condition=~models.Q(chain="00000000-0000-0000-0000-000000000000"),
    name="core_ledger_entry_subject",
)
CREATE = """
CREATE INDEX core_ledger_entry_subject ON core_ledger_entry (chain, subject_id, seq DESC)
 WHERE chain <> '00000000-0000-0000-0000-000000000000'
"""
MADE_BY_ITS_OWNER = [
    f"GRANT CREATE ON SCHEMA public TO {AUDIT}",
    f"SET LOCAL ROLE {AUDIT}",
    CREATE,
    "RESET ROLE",
    f"REVOKE CREATE ON SCHEMA public FROM {AUDIT}",
]


class Migration(migrations.Migration):
    dependencies = [("core", "0010_tokens_of_tokens")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL([*MADE_BY_ITS_OWNER])],
            state_operations=[migrations.AddIndex(model_name="ledgerentry", index=INDEX)],
        ),
    ]
