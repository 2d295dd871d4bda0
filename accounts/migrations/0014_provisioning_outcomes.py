"""What became of each person whom a directory names."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_passwords"),
    ]

    operations = [
        migrations.AddField(
            model_name="provisioneduser",
            name="given_role",
            field=models.CharField(blank=True, help_text="The role that its groups gave the member.", max_length=20),
        ),
        migrations.AddField(
            model_name="provisioneduser",
            name="outcome",
            field=models.CharField(blank=True, help_text="A `plans.Outcome`: what became of it last.", max_length=30),
        ),
        migrations.AddField(
            model_name="provisioneduser",
            name="put_out_at",
            field=models.DateTimeField(help_text="When the member was deactivated because of it.", null=True),
        ),
        migrations.AddField(
            model_name="provisioneduser",
            name="reason",
            field=models.CharField(
                blank=True, help_text="A `plans.Reason`, where nothing became of it.", max_length=30
            ),
        ),
    ]
