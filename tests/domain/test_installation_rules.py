"""Unsafe or missing settings are refused, each by name."""

import base64
import os

import pytest

from portal import rules

SOUND = {
    "TENANCY_KEY": "ab" * 32,
    "LEDGER_SIGNING_KEY": "cd" * 32,
    "FIELD_KEYS": [base64.urlsafe_b64encode(bytes(32)).decode()],
    "SAML_KEYS": os.environ["SAML_KEYS"].split(","),
    "PUBLIC_URL": "https://crossing.example",
    "ALLOWED_HOSTS": ["crossing.example"],
    "DEBUG": False,
    "SECRET_KEY": "abcdefghij" * 6,
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "DATABASE_ROLE": "app",
    "DATABASES": {"default": {"USER": "crossing_app"}},
}


def test_sound_settings_have_no_problem():
    assert rules.problems(SOUND, production=True) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TENANCY_KEY", "ab" * 31),
        ("TENANCY_KEY", "not hexadecimal"),
        ("TENANCY_KEY", ",".join(["ab" * 32, "ac" * 32, "ad" * 32])),
        ("LEDGER_SIGNING_KEY", ""),
        ("FIELD_KEYS", []),
        ("FIELD_KEYS", ["too-short"]),
        ("OUTBOUND_DENIED_NETWORKS", ["10.0.0.0/33"]),
        ("SAML_KEYS", []),
        ("SAML_KEYS", ["no base64"]),
    ],
)
@pytest.mark.parametrize("production", [True, False])
def test_malformed_values_are_refused_everywhere(name, value, production):
    (problem,) = rules.problems({**SOUND, name: value}, production=production)
    assert problem.startswith(name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "http://crossing.example"),
        ("PUBLIC_URL", "https://crossing.example/portal"),
        ("ALLOWED_HOSTS", ["other.example"]),
        ("FAILOVER_URL", "https://elsewhere.example"),
        ("FAILOVER_URL", "http://crossing.example"),
        ("DEBUG", True),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 60),
        ("OUTBOUND_LOOPBACK_PORTS", [8080]),
    ],
)
def test_unsafe_settings_are_refused_in_production_only(name, value):
    (problem,) = rules.problems({**SOUND, name: value}, production=True)
    assert problem.startswith(name)
    assert rules.problems({**SOUND, name: value}, production=False) == []


def test_mails_that_reach_nobody_are_refused():
    (problem,) = rules.problems(
        {**SOUND, "EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, production=True
    )
    assert problem.startswith("EMAIL_URL")


def test_one_key_for_two_purposes_is_refused():
    (problem,) = rules.problems({**SOUND, "LEDGER_SIGNING_KEY": SOUND["TENANCY_KEY"]}, production=True)
    assert "must differ" in problem


@pytest.mark.parametrize("role", ["postgres", "crossing_owner", "crossing_backup"])
def test_serving_as_a_role_that_sees_everything_is_refused(role):
    (problem,) = rules.problems({**SOUND, "DATABASES": {"default": {"USER": role}}}, production=True)
    assert problem.startswith("DATABASE_URL")


def test_a_wildcard_host_is_refused_and_a_subdomain_rule_is_not():
    assert any("forge" in problem for problem in rules.problems({**SOUND, "ALLOWED_HOSTS": ["*"]}, production=True))
    assert rules.problems({**SOUND, "ALLOWED_HOSTS": [".crossing.example"]}, production=True) == []


def test_every_problem_is_named_at_once():
    broken = {**SOUND, "DEBUG": True, "SECRET_KEY": "short", "TENANCY_KEY": ""}
    assert len(rules.problems(broken, production=True)) == 3


@pytest.mark.parametrize(("name", "variable"), [("DEMO", "CROSSING_DEMO"), ("TESTS", "CROSSING_TESTS")])
def test_a_switch_that_turns_the_rules_off_is_refused_where_the_public_is_served(name, variable):
    (problem,) = rules.problems({**SOUND, name: True}, production=False)
    assert problem.startswith(variable)
    assert rules.problems({**SOUND, name: True, "PUBLIC_URL": "http://localhost:8000"}, production=False) == []
