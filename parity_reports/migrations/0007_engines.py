"""In which way each entity was compared, and what was asked for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_sso"),
        ("parity_reports", "0006_drift"),
    ]

    operations = [
        migrations.AddField(
            model_name="entityresult",
            name="because",
            field=models.CharField(
                blank=True, help_text="Why in this way, in words fit for the customer.", max_length=300
            ),
        ),
        migrations.AddField(
            model_name="entityresult",
            name="engine",
            field=models.CharField(
                choices=[("typed", "typed"), ("pushdown", "pushdown"), ("sampled", "sampled")],
                default="typed",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="entityresult",
            name="fewer_than_one_in",
            field=models.PositiveBigIntegerField(
                help_text="Of a sample: 99 % confident that fewer than 1 in so many records differ.", null=True
            ),
        ),
        migrations.AddField(
            model_name="entityresult",
            name="one_in",
            field=models.PositiveIntegerField(default=1, help_text="Of so many records, one was compared."),
        ),
        migrations.AddField(
            model_name="report",
            name="method",
            field=models.CharField(
                choices=[("full", "Full comparison"), ("checksums", "By checksums"), ("sample", "Sample")],
                default="full",
                help_text="What was asked for. Only a full comparison is evidence.",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="entityresult",
            name="verdict",
            field=models.CharField(
                blank=True,
                choices=[
                    ("equal", "Equal"),
                    ("different", "Different"),
                    ("incomplete", "Incomplete"),
                    ("sampled", "Sampled"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="report",
            name="verdict",
            field=models.CharField(
                blank=True,
                choices=[
                    ("equal", "Equal"),
                    ("different", "Different"),
                    ("incomplete", "Incomplete"),
                    ("sampled", "Sampled"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="entityresult",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("verdict", "sampled"), _negated=True),
                    models.Q(("engine", "sampled"), ("fewer_than_one_in__isnull", False)),
                    _connector="OR",
                ),
                name="parity_reports_entityresult_sampled",
            ),
        ),
        migrations.AddConstraint(
            model_name="entityresult",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("verdict", "equal"), _negated=True),
                    models.Q(("engine", "sampled"), _negated=True),
                    _connector="OR",
                ),
                name="parity_reports_entityresult_equal",
            ),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("verdict", "sampled"), _negated=True),
                    models.Q(
                        ("different", 0),
                        ("duplicate", 0),
                        ("extra", 0),
                        ("method", "sample"),
                        ("missing", 0),
                        ("problem", ""),
                    ),
                    _connector="OR",
                ),
                name="parity_reports_report_sampled",
            ),
        ),
    ]
