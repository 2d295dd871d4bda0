"""What entitlements leave in the activity is read in words."""

from core.activity import tell


def test_the_activity_names_what_was_asked_for_in_words():
    told = tell("entitlements.access.requested", {"ability": "portal.run_parity"})
    assert told == "asked for access: ask for a new comparison"


def test_what_nobody_can_ask_about_any_more_keeps_its_name():
    assert tell("entitlements.access.granted", {"ability": "gone"}) == "granted access: gone"
