"""The log tells where an error happened and what it was, and never what a customer's value was."""

import io
import logging

import pytest
from django.db.utils import DataError
from psycopg import errors

from core.ports import Unavailable
from portal.logs import Lines, WithoutLinks

VALUE = "canary-77"


def logged(raising):
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(Lines("%(message)s"))
    log = logging.getLogger("tests.alone")
    log.handlers, log.propagate = [handler], False
    try:
        raising()
    except Exception:
        log.exception("it failed")
    return text.getvalue()


def quoting():
    raise ValueError(f"could not convert {VALUE}")


def refusing():
    raise errors.InvalidTextRepresentation(f'invalid input syntax for type integer: "{VALUE}"')


def chained():
    try:
        refusing()
    except errors.InvalidTextRepresentation as error:
        raise DataError(str(error)) from error


def in_a_key():
    {}[VALUE]


@pytest.mark.parametrize("raising", [quoting, chained, in_a_key])
def test_an_error_is_logged_with_its_place_and_class_but_without_the_value_that_it_quotes(raising):
    said = logged(raising)
    assert VALUE not in said
    assert said.startswith("it failed\nTraceback (most recent call last):")
    assert f"in {raising.__name__}" in said


def test_the_class_and_sqlstate_of_a_databases_error_are_told():
    said = logged(chained)
    assert "psycopg.errors.InvalidTextRepresentation [22P02]" in said
    assert said.rstrip().endswith("django.db.utils.DataError")


def test_a_text_of_ours_is_told_for_it_holds_no_value():
    def raising():
        raise Unavailable("The legacy platform does not answer.")

    assert "Unavailable: The legacy platform does not answer." in logged(raising)


def test_an_error_that_leads_to_itself_ends():
    def raising():
        one, two = KeyError(VALUE), KeyError(VALUE)
        one.__context__, two.__context__ = two, one
        raise one

    assert VALUE not in logged(raising)


@pytest.mark.parametrize("link", ["/invitations/{}/", "/dns/{}/?look=1", "/accounts/password/reset/key/{}/"])
def test_the_secret_of_a_link_is_not_logged(link):
    record = logging.LogRecord("django.request", 30, "", 0, "Not Found: %s", (link.format(VALUE),), None)
    assert WithoutLinks().filter(record)
    assert VALUE not in record.getMessage()
    assert link.split("{")[0] in record.getMessage()
