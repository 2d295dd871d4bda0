"""When the last look at an entity began: what was seen of a record before then is answered by it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parity_reports", "0012_cluster")]

    operations = [
        migrations.AddField(
            model_name="watch",
            name="began_at",
            field=models.DateTimeField(
                help_text="When that look began: how a record stood until then, it has seen.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="shadowmismatch",
            name="names",
            field=models.JSONField(
                default=list,
                help_text="The differing records by their names in reports; if some are unexplained, those alone.",
            ),
        ),
    ]
