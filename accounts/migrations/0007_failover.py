"""Which of our two addresses a provider was asked to answer at."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_provisioning"),
    ]

    operations = [
        migrations.AddField(
            model_name="ssosignin",
            name="is_failover",
            field=models.BooleanField(default=False, help_text="Asked for our second address."),
        ),
        migrations.AddField(
            model_name="ssotest",
            name="is_failover",
            field=models.BooleanField(default=False, help_text="Asked for our second address."),
        ),
    ]
