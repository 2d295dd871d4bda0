"""A deletion of stage data writes down what was accepted as not moved or not equal."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("compliance", "0003_carried_out"),
    ]

    operations = [
        migrations.AddField(
            model_name="deletion",
            name="accepted",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.RunSQL(
            "GRANT UPDATE (accepted) ON compliance_deletion TO crossing_app, crossing_staff",
            "REVOKE UPDATE (accepted) ON compliance_deletion FROM crossing_app, crossing_staff",
        ),
    ]
