"""Messages about how people sign in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("comms", "0002_plurals"),
    ]

    operations = [
        migrations.AlterField(
            model_name="mailing",
            name="kind",
            field=models.CharField(
                choices=[
                    ("announce", "Announce"),
                    ("reminder", "Reminder"),
                    ("cutover", "Cutover"),
                    ("after", "Afterwards"),
                    ("signature", "Go/no-go"),
                    ("support", "Support"),
                    ("sign_in", "Sign-in"),
                ],
                max_length=20,
            ),
        ),
    ]
