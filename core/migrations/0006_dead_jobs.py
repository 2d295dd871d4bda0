"""Find the jobs that were given up without reading all."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("core", "0005_readiness"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="job",
            index=models.Index(condition=models.Q(("state", "dead")), fields=["finished_at"], name="core_job_dead"),
        ),
    ]
