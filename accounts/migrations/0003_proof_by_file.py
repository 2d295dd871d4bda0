"""A domain may be proven by a file on its web site too, and tells by what it was."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_sso"),
    ]

    operations = [
        migrations.AddField(
            model_name="domain",
            name="method",
            field=models.CharField(
                choices=[("dns", "A DNS record"), ("file", "A file on the web site")], default="dns", max_length=10
            ),
        ),
        migrations.AddField(
            model_name="domain",
            name="proven_via",
            field=models.CharField(blank=True, editable=False, help_text="txt, cname or file.", max_length=10),
        ),
        migrations.AddConstraint(
            model_name="domain",
            constraint=models.CheckConstraint(
                condition=models.Q(("method__in", ["dns", "file"])), name="accounts_domain_method"
            ),
        ),
    ]
