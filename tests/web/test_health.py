"""What a load balancer asks."""

from unittest import mock

from django.db import DatabaseError


def test_healthz_asks_nobody(client):
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


def test_readyz_is_ready_with_database_and_cache(client, db):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"database": "ok", "cache": "ok"}


def test_readyz_names_what_is_away_and_nothing_more(client, db):
    with mock.patch("portal.health.connection.cursor", side_effect=DatabaseError("password=hunter2")):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"database": "unavailable", "cache": "ok"}


def test_readyz_notices_an_unreachable_cache(client, db, settings):
    url = settings.CACHES["default"]["LOCATION"].rsplit("@", 1)[0] + "@127.0.0.1:1/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": url}}
    assert client.get("/readyz").json()["cache"] == "unavailable"
