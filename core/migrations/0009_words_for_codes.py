"""Help texts without code; nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0008_items"),
    ]

    operations = [
        migrations.AlterField(
            model_name="approvalrequest",
            name="seats",
            field=models.JSONField(
                help_text="The signatures it needs, and who is to give each, where somebody is named."
            ),
        ),
    ]
