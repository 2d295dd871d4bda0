"""Of which step before its end people know, and indexes for the newest sign-ins."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_pinned_metadata"),
    ]

    operations = [
        migrations.AddField(
            model_name="enforcement",
            name="warned_days",
            field=models.PositiveSmallIntegerField(
                help_text="Of which step before its end people know; 0: that it is over.", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="ssosignin",
            index=models.Index(fields=["tenant", "-answered_at"], name="accounts_ssosignin_answers"),
        ),
        migrations.AddIndex(
            model_name="ssosignin",
            index=models.Index(
                condition=models.Q(("outcome", ""), _negated=True),
                fields=["-answered_at"],
                name="accounts_ssosignin_newest",
            ),
        ),
    ]
