"""An access review of a large account has no lines until the queue has written them down; none is finished so."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0020_identity_map_members"),
    ]

    operations = [
        migrations.AlterField(
            model_name="accessreview",
            name="people",
            field=models.PositiveIntegerField(help_text="How many lines it has; 0 until they are written down."),
        ),
        migrations.AddConstraint(
            model_name="accessreview",
            constraint=models.CheckConstraint(
                condition=models.Q(("finished_at", None), ("people__gt", 0), _connector="OR"),
                name="accounts_accessreview_written",
            ),
        ),
    ]
