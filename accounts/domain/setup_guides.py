"""How an identity provider is told of us, product by product: its own words for its fields, with our values in them.

Data, not prose: a step names what to choose, and the fields to fill with what. A product that renames a field is one
line here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.saml import ServiceProvider


class Ours(StrEnum):
    """A value of ours; everything else in a field is to be typed or chosen as it stands."""

    ENTITY_ID = "{entity_id}"
    ACS_URL = "{acs_url}"
    ACS_PATTERN = "{acs_pattern}"
    METADATA_URL = "{metadata_url}"
    SCIM_URL = "{scim_url}"
    SCIM_TEMPLATE = "{scim_template}"


AGAIN = (
    "Make a second application there in the same steps, named Crossing 2, with these values in place of the first, and "
    "let the same people in. We know both as one provider: they share its entity ID, sign-in address and certificate."
)
BESIDE = "Enter these in the same application beside the first ones, which stay the default."
OF_ITS_OWN = (
    "This product gives each application an entity ID and a sign-in address of its own, so one connection cannot hold "
    "two of them. For the day when our first address is out of order rely on the recovery codes and the cutback under "
    "“Company sign-in”."
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what to do, and which fields to fill with what."""

    text: str
    fields: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Guide:
    """The way through one product. `returns` says what to give us, `traps` what goes wrong there and how to mend it.

    `second` says how our second address is entered there.
    """

    slug: str
    name: str
    steps: tuple[Step, ...]
    returns: str
    traps: tuple[str, ...] = ()
    second: str = AGAIN

    @property
    def takes_second(self) -> bool:
        """Whether our second address can be entered there at all."""
        return self.second != OF_ITS_OWN


@dataclass(frozen=True, slots=True)
class Field:
    """A field as the page shows it; `is_ours` has a button that copies it."""

    name: str
    value: str
    is_ours: bool


EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
CLOCK = "Our clocks may differ by two minutes, not more: keep the server's set by a time server."

_GUIDES = (
    Guide(
        "entra", "Microsoft Entra ID",
        (
            Step("In the Microsoft Entra admin center open Enterprise applications, New application, Create your own "
                 "application. Name it Crossing and choose “Integrate any other application you don't find in the "
                 "gallery (Non-gallery)”."),
            Step("Open Single sign-on, choose SAML, and edit “Basic SAML Configuration”. Leave Sign on URL, Relay "
                 "State and Logout Url empty.",
                 {"Identifier (Entity ID)": Ours.ENTITY_ID,
                  "Reply URL (Assertion Consumer Service URL)": Ours.ACS_URL}),
            Step("Edit “Attributes & Claims” and open “Unique User Identifier (Name ID)”.",
                 {"Name identifier format": "Email address", "Source": "Attribute", "Source attribute": "user.mail"}),
            Step("Under “SAML Certificates” edit the token signing certificate.",
                 {"Signing Option": "Sign SAML assertion", "Signing Algorithm": "SHA-256"}),
            Step("Under Users and groups assign yourself, then everybody who is to sign in."),
        ),
        "the “App Federation Metadata Url” (or the file “Federation Metadata XML”) from “SAML Certificates”",
        ("AADSTS50105: the person is not assigned to the application. Assign them under Users and groups.",
         "AADSTS700016 or AADSTS50011: entity ID or reply URL differ from ours by a character. Copy them again.",
         "People without a mailbox have no user.mail: choose user.userprincipalname if that is their address."),
        second=BESIDE,
    ),
    Guide(
        "okta", "Okta",
        (
            Step("In the Admin Console open Applications, Applications, Create App Integration, choose SAML 2.0 and "
                 "name it Crossing."),
            Step("Under Configure SAML tick “Use this for Recipient URL and Destination URL”, and leave Default "
                 "RelayState empty.",
                 {"Single sign-on URL": Ours.ACS_URL, "Audience URI (SP Entity ID)": Ours.ENTITY_ID,
                  "Name ID format": "EmailAddress", "Application username": "Email"}),
            Step("Open Show Advanced Settings.",
                 {"Assertion Signature": "Signed", "Signature Algorithm": "RSA-SHA256", "Digest Algorithm": "SHA256",
                  "Assertion Encryption": "Unencrypted"}),
            Step("Optionally add Attribute Statements, so that we know people's names.",
                 {"firstName": "user.firstName", "lastName": "user.lastName"}),
            Step("Open the tab Assignments and assign yourself, then everybody who is to sign in."),
        ),
        "the “Metadata URL” from the tab Sign On",
        ("“User is not assigned to this application”: assign the person under Assignments.",
         "After a new signing certificate is made, choose Activate beside it only when it stands here too."),
        second=OF_ITS_OWN,
    ),
    Guide(
        "google", "Google Workspace",
        (
            Step("In the Admin console open Apps, Web and mobile apps, Add app, Add custom SAML app, and name it "
                 "Crossing."),
            Step("On “Google Identity Provider details” choose Download metadata (Option 1), then Continue."),
            Step("Fill “Service provider details”. Leave Start URL empty, and “Signed response” unticked: Google then "
                 "signs the assertion, which is what we check.",
                 {"ACS URL": Ours.ACS_URL, "Entity ID": Ours.ENTITY_ID, "Name ID format": "EMAIL",
                  "Name ID": "Basic Information > Primary email"}),
            Step("Under Attribute mapping you may add names.", {"First name": "firstName", "Last name": "lastName"}),
            Step("Open User access and turn the app ON for everyone, or for an organisational unit."),
        ),
        "the metadata file that you downloaded (Google offers no address for it)",
        ("“Only the response around it is signed”: untick “Signed response”.",
         "Error 403 app_not_enabled_for_user: turn the app on for that person. It takes up to 24 hours at Google.",
         "Google's certificate lasts five years: add the next one here before you choose it there."),
    ),
    Guide(
        "onelogin", "OneLogin",
        (
            Step("In the Administration open Applications, Add App, search “SAML Custom Connector (Advanced)”, name it "
                 "Crossing and save."),
            Step("Open the tab Configuration. Leave RelayState and the logout URLs empty.",
                 {"Audience (EntityID)": Ours.ENTITY_ID, "Recipient": Ours.ACS_URL,
                  "ACS (Consumer) URL Validator": Ours.ACS_PATTERN, "ACS (Consumer) URL": Ours.ACS_URL,
                  "SAML initiator": "Service Provider", "SAML nameID format": "Email",
                  "SAML signature element": "Assertion"}),
            Step("Open the tab Parameters and look that NameID value is Email."),
            Step("Open the tab SSO.", {"SAML Signature Algorithm": "SHA-256"}),
            Step("Open the tab Users, or Access for roles, and add who is to sign in."),
        ),
        "the “Issuer URL” from the tab SSO, which is the address of the metadata (or More Actions, SAML Metadata)",
        ("Older apps sign with SHA-1: choose SHA-256 on the tab SSO.",
         "The validator is a regular expression: copy it from here, with its backslashes."),
        second=OF_ITS_OWN,
    ),
    Guide(
        "ping", "PingOne",
        (
            Step("In the PingOne console open Applications, Applications, +, name it Crossing, choose SAML "
                 "Application, Configure."),
            Step("Choose Manually Enter.", {"ACS URLs": Ours.ACS_URL, "Entity ID": Ours.ENTITY_ID}),
            Step("Edit the tab Configuration.",
                 {"Signing": "Sign Assertion", "Signing Algorithm": "RSA_SHA256", "Subject NameID Format": EMAIL,
                  "Assertion Validity Duration (in seconds)": "300"}),
            Step("Edit the tab Attribute Mappings.", {"saml_subject": "Email Address"}),
            Step("On the tab Access choose the groups that are to sign in, then switch the application on."),
        ),
        "the “IDP Metadata URL” from the tab Configuration (or Download Metadata)",
        ("“Only the response around it is signed”: choose Sign Assertion, or Sign Assertion & Response.",
         "saml_subject is the User ID at first: nobody is found by it. Map it to the e-mail address."),
    ),
    Guide(
        "jumpcloud", "JumpCloud",
        (
            Step("In the Admin Portal open SSO Applications, Add New Application, Custom Application, choose Manage "
                 "Single Sign-On (SSO) with SAML, and name it Crossing."),
            Step("Open the tab SSO. Leave Default RelayState and Login URL empty. “IdP Entity ID” may be any name that "
                 "no other application of yours has.",
                 {"SP Entity ID": Ours.ENTITY_ID, "ACS URLs, Default URL": Ours.ACS_URL, "SAMLSubject NameID": "email",
                  "SAMLSubject NameID Format": EMAIL, "Signature Algorithm": "RSA-SHA256"}),
            Step("On the same tab tick “Sign Assertion” and “Declare Redirect Endpoint”, then save."),
            Step("On the tab User Groups tick the groups that are to sign in."),
        ),
        "the metadata: “Copy Metadata URL” or “Export Metadata” on the tab SSO",
        ("“No sign-in address for the binding HTTP-Redirect”: tick Declare Redirect Endpoint, and export again.",),
        second=OF_ITS_OWN,
    ),
    Guide(
        "adfs", "AD FS",
        (
            Step("In AD FS Management open Relying Party Trusts, Add Relying Party Trust, choose Claims aware and "
                 "“Enter data about the relying party manually”. Skip the encryption certificate."),
            Step("Tick “Enable support for the SAML 2.0 WebSSO protocol”.",
                 {"Relying party SAML 2.0 SSO service URL": Ours.ACS_URL,
                  "Relying party trust identifier": Ours.ENTITY_ID}),
            Step("Edit the Claim Issuance Policy: add a rule “Send LDAP Attributes as Claims” from Active Directory.",
                 {"E-Mail-Addresses": "E-Mail Address", "Given-Name": "Given Name", "Surname": "Surname"}),
            Step("Add a second rule “Transform an Incoming Claim”.",
                 {"Incoming claim type": "E-Mail Address", "Outgoing claim type": "Name ID",
                  "Outgoing name ID format": "Email"}),
            Step("Open the trust's Properties, tab Advanced.", {"Secure hash algorithm": "SHA-256"}),
        ),
        "the address https://…/FederationMetadata/2007-06/FederationMetadata.xml of your AD FS, or its file if the "
        "address is inside your network only",
        ("AD FS changes its certificate by itself every year: by the address we learn of it; a file you have to bring.",
         "Without the second rule the answer has no NameID.",
         CLOCK),
    ),
    Guide(
        "keycloak", "Keycloak",
        (
            Step("In the Admin Console of your realm open Clients, Create client, and choose the client type SAML.",
                 {"Client ID": Ours.ENTITY_ID}),
            Step("On the next page leave Root URL and Home URL empty.", {"Valid redirect URIs": Ours.ACS_URL}),
            Step("On the tab Settings.",
                 {"Name ID format": "email", "Force name ID format": "On", "Force POST binding": "On",
                  "Sign assertions": "On", "Signature algorithm": "RSA_SHA256"}),
            Step("On the tab Keys. We sign our requests, and Keycloak need not look at that.",
                 {"Client signature required": "Off", "Encrypt assertions": "Off"}),
            Step("On the tab Advanced, under Fine Grain SAML Endpoint Configuration.",
                 {"Assertion Consumer Service POST Binding URL": Ours.ACS_URL}),
        ),
        "the address of “SAML 2.0 Identity Provider Metadata” from Realm settings, Endpoints",
        ("“Invalid requester”: Client ID and our entity ID differ, or Client signature required is still on.",
         "People without an e-mail address in Keycloak have no NameID in this format.",
         CLOCK),
    ),
    Guide(
        "other", "Another provider (SAML 2.0)",
        (
            Step("Create an application for SAML 2.0. If it takes a file or an address, give it our metadata.",
                 {"Metadata": Ours.METADATA_URL}),
            Step("Otherwise enter our values, exactly as they stand.",
                 {"Entity ID (audience, SP entity ID)": Ours.ENTITY_ID,
                  "ACS URL (reply, recipient and destination URL)": Ours.ACS_URL,
                  "Binding of the ACS": "HTTP-POST"}),
            Step("Choose how a person is named.",
                 {"NameID format": EMAIL, "NameID": "the person's e-mail address"}),
            Step("Choose how it is signed. Leave encryption and single logout off, and the relay state empty.",
                 {"What is signed": "the assertion", "Signature": "RSA or ECDSA with SHA-256",
                  "Binding for our requests": "HTTP-Redirect, signed if its metadata ask for it"}),
            Step("Let in everybody who is to sign in, yourself first."),
        ),
        "the address of its metadata, or its metadata file",
        (CLOCK, "Sign-in begins here, not at the provider's list of applications."),
    ),
)  # fmt: skip

GUIDES: dict[str, Guide] = {guide.slug: guide for guide in _GUIDES}


def values(sp: ServiceProvider, *, metadata_url: str) -> dict[Ours, str]:
    """Return our values for one connection."""
    return {
        Ours.ENTITY_ID: sp.entity_id,
        Ours.ACS_URL: sp.acs_url,
        Ours.ACS_PATTERN: f"^{re.escape(sp.acs_url).replace('/', chr(92) + '/')}$",
        Ours.METADATA_URL: metadata_url,
    }


def second(guide: Guide, ours: Mapping[Ours, str]) -> list[Field]:
    """Return the fields that hold a value of ours, filled with those of our second address; each field once."""
    fields = {field.name: field for step in guide.steps for field in filled(step, ours) if field.is_ours}
    return list(fields.values())


def told(guide: Guide, ours: Mapping[Ours, str]) -> list[tuple[str, list[Field]]]:
    """Return a guide's steps, each with its fields, with our values in them."""
    return [(step.text, list(filled(step, ours))) for step in guide.steps]


def filled(step: Step, ours: Mapping[Ours, str]) -> Iterator[Field]:
    """Yield a step's fields with our values in them."""
    for name, value in (step.fields or {}).items():
        yield Field(name, ours[value], True) if isinstance(value, Ours) else Field(name, value, False)
