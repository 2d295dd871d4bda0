"""Whether a provider wants signed requests, and when it wants a session to end."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0015_access_review"),
    ]

    operations = [
        migrations.AddField(
            model_name="ssoconnection",
            name="wants_signed_requests",
            field=models.BooleanField(default=False, help_text="Whether its metadata ask us to sign."),
        ),
        migrations.AddField(
            model_name="ssosignin",
            name="session_ends_at",
            field=models.DateTimeField(help_text="When the provider wants the session to end.", null=True),
        ),
    ]
