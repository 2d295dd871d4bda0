"""What SAML packages let pass, row by row: the attack, the measure of ours that stops it, and how to turn that off.

The rows and their order are those of ADR 12's table. `attack` says whether it got through (or, where a row is about
being told, whether nobody was told). `given` turns other layers off that would stop the same attack too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from lxml import etree

from accounts.domain import assertions
from accounts.domain.verdicts import Code
from accounts.services import identity_links, sso_messages
from portal.adapters.saml import reading
from tests.attacking import (
    DATA,
    NOTHING,
    SHA1,
    a_doctype,
    an_address_alone,
    another_organisations_entity_id,
    anybodys_address,
    bound_to_another_request,
    contains_ours,
    crashes,
    destination,
    forge,
    logged_out,
    not_told,
    our_metadata,
    over_for,
    put_name,
    the_old_key,
    the_password,
    the_same_twice,
    unasked,
    within_the_network,
)
from tests.company import Company
from tests.forging import drop, put, repeat_attribute, unset
from tests.turning_off import (
    ODD,
    Patch,
    addresses_by_host,
    any_host,
    both,
    keys_by_entity_id,
    metadata_of_a_whole_connection,
    metadata_of_the_package,
    old_algorithms,
    one_certificate,
    plain_fetching,
    sign_in_by_address,
    uncaught,
    wiping_logins,
    with_single_logout,
    without,
    without_second_opinion,
)


@dataclass(frozen=True)
class Measure:
    """One row: what stops it, in the words of the table, and how the attack goes without."""

    closed_by: str
    attack: Callable[[Company], bool]
    off: Callable[[Patch], None]
    given: Callable[[Patch], None] = lambda patch: None


ROWS: dict[str, Measure] = {
    "another organisation's entity ID": Measure(
        "`known.provider`: keys belong to the address that was asked, `org_<uuid>`, and to no name",
        another_organisations_entity_id, keys_by_entity_id,
    ),
    "an address signs in": Measure(
        "`signing_in.decide`: an address only proposes a link", an_address_alone, sign_in_by_address
    ),
    "anybody's address": Measure(
        "check `email` and `signing_in.decide`: a provider speaks for proven domains alone",
        anybodys_address, both(without(Code.EMAIL), sign_in_by_address),
    ),
    "the password is wiped": Measure(
        "`identity_links._show_address`: a linked address counts as verified",
        the_password, lambda patch: patch.setattr(identity_links, "_show_address", lambda user: None), wiping_logins,
    ),
    "bound to the attacker's request": Measure(
        "check `confirmed_request`", bound_to_another_request, without(Code.CONFIRMED_REQUEST)
    ),
    "the provider's own idea": Measure(
        "checks `in_response_to` and `confirmed_request`", forge(unasked),
        without(Code.IN_RESPONSE_TO, Code.CONFIRMED_REQUEST),
    ),
    "a replay": Measure(
        "`sso_messages._use`: an assertion counts once",
        the_same_twice, lambda patch: patch.setattr(sso_messages, "_use", lambda heard, *, at: True),
        without(Code.IN_RESPONSE_TO, Code.CONFIRMED_REQUEST),
    ),
    "no XML": Measure(
        "`reading.read` catches what cannot be read", lambda company: crashes(company, "aGVsbG8="),
        uncaught(reading, "UnreadableError"),
    ),
    "a document type": Measure(
        "`xml.parse` refuses it before any parser", a_doctype,
        lambda patch: patch.setattr(reading, "parse", lambda document, *, comments: etree.fromstring(document)),
        without_second_opinion,
    ),
    "an unsigned logout": Measure("there is no single logout", logged_out, with_single_logout),
    "metadata before a provider is known": Measure(
        "`metadata.describe` asks for our side alone",
        lambda company: our_metadata(company, lambda told: False), metadata_of_a_whole_connection, any_host,
    ),
    "metadata of any host": Measure(
        "`known.service_provider` reads `PUBLIC_URL`",
        lambda company: our_metadata(company, lambda told: "evil.example" in told), addresses_by_host, any_host,
    ),
    "metadata that end, unsigned": Measure(
        "`metadata.describe` signs, and sets no end",
        lambda company: our_metadata(company, lambda told: "validUntil" in told or "<ds:Signature" not in told),
        metadata_of_the_package, any_host,
    ),
    "metadata from within the network": Measure(
        "the port `outbound`, the guarded sender", within_the_network, plain_fetching
    ),
    "one certificate only": Measure(
        "`known.provider` has every trusted certificate", the_old_key, one_certificate
    ),
    "an empty name": Measure(
        "check `subject`, and `second.objection` catches", lambda company: not_told(company, put_name("")), ODD
    ),
    "an attribute twice": Measure(
        "check `subject`, and `second.objection` catches", lambda company: not_told(company, repeat_attribute), ODD
    ),
    "another's qualifier": Measure(
        "check `subject`, and `second.objection` catches",
        lambda company: not_told(company, put("NameID", "SPNameQualifier", "https://other.example")), ODD,
    ),
}  # fmt: skip
"""The table of what happens out of the box."""


ITEMS: dict[str, Measure] = {
    "SHA-1": Measure("check `algorithms`, and `rejectDeprecatedAlgorithm`", forge(NOTHING, how=SHA1), old_algorithms),
    "no InResponseTo": Measure(
        "check `in_response_to`", forge(lambda root: root.attrib.pop("InResponseTo")), without(Code.IN_RESPONSE_TO)
    ),
    "no Destination": Measure("check `destination`", forge(destination(lambda it: None)), without(Code.DESTINATION)),
    "a longer Destination": Measure(
        "check `destination`", forge(destination(lambda it: f"{it}x")), without(Code.DESTINATION)
    ),
    "no Recipient": Measure("check `recipient`", forge(unset(DATA, "Recipient")), without(Code.RECIPIENT)),
    "a Recipient that contains ours": Measure("check `recipient`", forge(contains_ours), without(Code.RECIPIENT)),
    "no end of the confirmation": Measure(
        "check `confirmed_until`", forge(unset(DATA, "NotOnOrAfter")), without(Code.CONFIRMED_UNTIL)
    ),
    "no audience": Measure("check `audience`", forge(drop("AudienceRestriction")), without(Code.AUDIENCE)),
    "a replay, once more": Measure(
        "`sso_messages._use`: an assertion counts once",
        the_same_twice, lambda patch: patch.setattr(sso_messages, "_use", lambda heard, *, at: True),
        without(Code.IN_RESPONSE_TO, Code.CONFIRMED_REQUEST),
    ),
    "over since 200 seconds": Measure(
        "`assertions.SKEW` of 120 seconds", forge(over_for(timedelta(seconds=200))),
        lambda patch: patch.setattr(assertions, "SKEW", timedelta(seconds=300)),
    ),
}  # fmt: skip
"""What python3-saml accepts even in strict mode."""
