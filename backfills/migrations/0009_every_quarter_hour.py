"""Standing catch-ups run every 15 minutes at least: with more, one that works would be taken for one that does not."""

from django.db import migrations, models
from django.db.models import Q

CLAMP = (
    # The owner is no tenant: without this it would find no row.
    "ALTER TABLE backfills_pace NO FORCE ROW LEVEL SECURITY",
    "UPDATE backfills_pace SET every = 15 WHERE every > 15",
    "ALTER TABLE backfills_pace FORCE ROW LEVEL SECURITY",
)


class Migration(migrations.Migration):
    dependencies = [("backfills", "0008_pace")]

    operations = [
        migrations.RunSQL([(statement, None) for statement in CLAMP], migrations.RunSQL.noop),
        migrations.RemoveConstraint("pace", "backfills_pace_every"),
        migrations.AddConstraint(
            "pace", models.CheckConstraint(condition=Q(every__range=(1, 15)), name="backfills_pace_every")
        ),
        migrations.AlterField(
            "pace",
            "trying_since",
            models.DateTimeField(
                blank=True, help_text="Since when it was due each time, without a gap, and in vain.", null=True
            ),
        ),
    ]
