"""How a directory is told of us, product by product, as the guides of single sign-on are written."""

from accounts.domain.setup_guides import Guide, Ours, Step

SECRET = "the secret of the token, which is shown once when you issue it"  # noqa: S105 - says where it is
_TEMPLATE = (
    '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "{$parameters.scimusername}", '
    '"externalId": "{$user.id}", "displayName": "{$user.display_name}", '
    '"name": {"givenName": "{$user.firstname}", "familyName": "{$user.lastname}"}, '
    '"emails": [{"value": "{$user.email}", "type": "work", "primary": true}]}'
)

_GUIDES = (
    Guide(
        "entra", "Microsoft Entra ID",
        (
            Step("In the Microsoft Entra admin center open Enterprise applications and the application that you use "
                 "for single sign-on (or New application, Create your own application, non-gallery). Open "
                 "Provisioning, and choose Connect your application, or Automatic as Provisioning Mode."),
            Step("Fill Admin Credentials and choose Test Connection: Entra asks for a user that cannot be there, and "
                 "is told that there is none.",
                 {"Tenant URL": Ours.SCIM_URL, "Secret Token": SECRET}),
            Step("Open Mappings, Provision Microsoft Entra ID Users. Keep at least these; more do no harm, as what is "
                 "not kept is dropped.",
                 {"userName": "userPrincipalName", "externalId": "objectId",
                  "active": 'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
                  'emails[type eq "work"].value': "mail", "displayName": "displayName",
                  "name.givenName": "givenName", "name.familyName": "surname"}),
            Step("Under Users and groups assign who is to come, and groups directly: Entra sends no groups within "
                 "groups."),
            Step("Choose “Provision on demand” for one person, look at the call on our page, then Start provisioning."),
        ),
        "",
        ("externalId comes from mailNickname at first, which may be given to another person: choose objectId.",
         "Entra calls every 40 minutes; “Provision on demand” calls at once.",
         "“The credentials are not valid”: the address ends in /scim/v2, and the token has the scope “scim”."),
    ),
    Guide(
        "okta", "Okta",
        (
            Step("In the Admin Console open Applications and the application that you use for single sign-on. On the "
                 "tab General edit App Settings and choose SCIM as Provisioning."),
            Step("Open the tab Provisioning, Integration, and choose Test Connector Configuration at its end.",
                 {"SCIM connector base URL": Ours.SCIM_URL, "Unique identifier field for users": "userName",
                  "Supported provisioning actions": "Push New Users, Push Profile Updates, Push Groups",
                  "Authentication Mode": "HTTP Header", "Authorization, Bearer": SECRET}),
            Step("Open Provisioning, To App, and edit it.",
                 {"Create Users": "Enable", "Update User Attributes": "Enable", "Deactivate Users": "Enable",
                  "Sync Password": "leave it off: no password is kept"}),
            Step("On the tab Assignments assign yourself, then everybody who is to come."),
            Step("On the tab Push Groups push the groups that are to give roles here."),
        ),
        "",
        ("A group that is both assigned and pushed may miss people at Okta: push another group than you assign.",
         "Status 409: another person of your directory has this userName already, and it is unique.",
         "Choose the same Application username as for single sign-on, or people come twice."),
    ),
    Guide(
        "onelogin", "OneLogin",
        (
            Step("In the Administration open Applications, Add App, search “SCIM Provisioner with SAML (SCIM v2 "
                 "Core)”, name it Crossing and save. If people sign in by another app already, leave its SSO tab "
                 "unused."),
            Step("Open the tab Configuration, then choose Enable under API Status.",
                 {"SCIM Base URL": Ours.SCIM_URL, "SCIM JSON Template": Ours.SCIM_TEMPLATE,
                  "SCIM Bearer Token": SECRET}),
            Step("Open the tab Parameters.", {"scimusername": "Email", "Groups": "Include in User Provisioning"}),
            Step("Open the tab Provisioning and save.",
                 {"Enable provisioning": "ticked", "When users are deleted or access is removed": "Suspend"}),
            Step("Open the tab Access and choose the roles that are to come; Users, Provisioning shows what waits."),
        ),
        "",
        ("“Require admin approval” holds every person back at OneLogin until somebody approves them there.",
         "Leave active out of the template: OneLogin sends it by itself when somebody is suspended."),
    ),
    Guide(
        "jumpcloud", "JumpCloud",
        (
            Step("In the Admin Portal open SSO Applications and your application (or a new Custom Application with "
                 "“Export users to this app (Identity Management)”), then the tab Identity Management, SCIM API."),
            Step("Configure the connection, then choose Test Connection and Activate.",
                 {"SCIM Version": "SCIM 2.0", "Base URL": Ours.SCIM_URL, "Token Key": SECRET,
                  "Test User Email": "an address of your proven domain that nobody has"}),
            Step("Switch on management of groups and their members, and save."),
            Step("On the tab User Groups tick the groups that are to come."),
        ),
        "",
        ("The test makes a person and a group and deletes both; our page shows the calls. Do it while on trial.",),
    ),
    Guide(
        "other", "Another directory (SCIM 2.0)",
        (
            Step("Choose SCIM 2.0 and enter our values. A token goes into the header Authorization, after “Bearer”.",
                 {"Base address (SCIM endpoint, tenant URL)": Ours.SCIM_URL, "Bearer token": SECRET}),
            Step("Choose what names a person: as for single sign-on, or people come twice.",
                 {"userName": "what they sign in by there, best their e-mail address",
                  "externalId": "an id that is never given to another person",
                  "emails": "their e-mail address at work", "active": "whether they still belong to you"}),
            Step("Let it deactivate people who leave, and push the groups that are to give roles here."),
        ),
        "",
        ("/ServiceProviderConfig says what is served, /Schemas what is kept; both need the token.",
         "There is no bulk and there are no groups within groups: switch both off if it asks."),
    ),
)  # fmt: skip

GUIDES: dict[str, Guide] = {guide.slug: guide for guide in _GUIDES}


def values(base: str) -> dict[Ours, str]:
    """Return our values: the address of the service, and what OneLogin is to send of a person."""
    return {Ours.SCIM_URL: base, Ours.SCIM_TEMPLATE: _TEMPLATE}
