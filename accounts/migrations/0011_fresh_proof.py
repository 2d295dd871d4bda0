"""A proven domain is proven afresh three days before the move."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_domain_transfers"),
    ]

    operations = [
        migrations.AddField(
            model_name="domain",
            name="fresh_asked_at",
            field=models.DateTimeField(
                editable=False, help_text="When a fresh proof was asked for, three days before the move.", null=True
            ),
        ),
    ]
