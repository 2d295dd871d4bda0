"""Which token a token was issued through. Those from before this migration do not say; their ledger entries do."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0009_words_for_codes")]

    operations = [
        migrations.AddField(
            model_name="token",
            name="issued_through",
            field=models.UUIDField(blank=True, help_text="The token that asked for it; empty: a person.", null=True),
        ),
    ]
