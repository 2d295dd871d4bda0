"""Messages about reviews of who has access."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("comms", "0003_sign_in_messages"),
    ]

    operations = [
        migrations.AlterField(
            model_name="mailing",
            name="audience",
            field=models.CharField(
                choices=[
                    ("sponsors", "Owners (executive sponsors)"),
                    ("admins", "Admins"),
                    ("end_users", "Everybody else"),
                    ("deciders", "Owners and admins"),
                    ("signers", "Who signs"),
                    ("asker", "Who asked"),
                    ("ladder", "Our people on call"),
                    ("leavers", "Who lost their access"),
                ],
                max_length=20,
            ),
        ),
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
                    ("access", "Access"),
                ],
                max_length=20,
            ),
        ),
    ]
