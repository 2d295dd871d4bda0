"""What a provider's metadata were signed with when somebody followed their address."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0017_access_review_ends"),
    ]

    operations = [
        migrations.AddField(
            model_name="ssosource",
            name="pinned",
            field=models.CharField(blank=True, help_text="The certificate that signed them at first.", max_length=64),
        ),
    ]
