"""The old signing secret of an endpoint beside the present one, for as long as both sign."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0002_words_for_codes")]

    operations = [
        migrations.AddField(
            model_name="endpoint",
            name="secret_changed_at",
            field=models.DateTimeField(
                editable=False,
                help_text="When the present secret took another one's place; empty: it was the first.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="secret_changed_by",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="old_secret",
            field=models.TextField(blank=True, default="", help_text="The one before, sealed too, while both sign."),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="endpoint",
            name="old_ends_at",
            field=models.DateTimeField(editable=False, help_text="Until when the old secret signs as well.", null=True),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("secret_changed_at", None), ("secret_changed_by", None)),
                    models.Q(("secret_changed_at__isnull", False), ("secret_changed_by__isnull", False)),
                    _connector="OR",
                ),
                name="integrations_endpoint_secret_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("old_ends_at", None), ("old_secret", "")),
                    models.Q(
                        models.Q(("old_secret", ""), _negated=True),
                        ("off_at", None),
                        ("old_ends_at__isnull", False),
                        ("secret_changed_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="integrations_endpoint_old_pair",
            ),
        ),
    ]
