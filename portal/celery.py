"""The Celery app: the doorbell of the queue (PostgreSQL holds the truth)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("crossing")
app.set_default()  # in every thread: the web server's threads enqueue too
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["core"], related_name="tasks")
