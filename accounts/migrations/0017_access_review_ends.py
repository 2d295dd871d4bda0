"""An access review can be abandoned, and its summary signed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0016_signed_requests_and_session_ends"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="accessreview",
            name="accounts_accessreview_one_open",
        ),
        migrations.AddField(
            model_name="accessreview",
            name="abandoned_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="accessreview",
            name="abandoned_by",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="accessreview",
            name="approval_id",
            field=models.UUIDField(help_text="The request by which its summary is signed.", null=True),
        ),
        migrations.AddField(
            model_name="accessreview",
            name="reason",
            field=models.CharField(blank=True, help_text="Why it was abandoned.", max_length=300),
        ),
        migrations.AddConstraint(
            model_name="accessreview",
            constraint=models.UniqueConstraint(
                condition=models.Q(("abandoned_at", None), ("finished_at", None)),
                fields=("tenant",),
                name="accounts_accessreview_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessreview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("abandoned_at", None), ("abandoned_by", None)),
                    models.Q(("abandoned_at__isnull", False), ("abandoned_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_accessreview_abandoned_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessreview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("abandoned_at", None), ("reason", "")),
                    models.Q(("abandoned_at__isnull", False), models.Q(("reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="accounts_accessreview_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessreview",
            constraint=models.CheckConstraint(
                condition=models.Q(("finished_at", None), ("abandoned_at", None), _connector="OR"),
                name="accounts_accessreview_ends_once",
            ),
        ),
    ]
