"""What a move would do to the objects of the new platform, told by the check before it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("backfills", "0004_spec_versions")]

    operations = [
        migrations.AddField(
            model_name="inspectedentity",
            name="new",
            field=models.BigIntegerField(
                help_text="Objects that a run would make; empty where nobody can tell.", null=True
            ),
        ),
        *(
            migrations.AddField(
                model_name="inspectedentity",
                name=name,
                field=models.BigIntegerField(help_text=f"Objects that a run would {what}.", null=True),
            )
            for name, what in (("changed", "change"), ("same", "leave as they are"), ("gone", "remove"))
        ),
    ]
