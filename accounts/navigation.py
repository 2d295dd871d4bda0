"""The pages of accounts in the sidebar."""

from core import navigation
from core.navigation import Entry, Section
from core.permissions import Permission

navigation.add(
    Entry(
        id="accounts.domains",
        label="Domains",
        url="accounts:domains",
        icon="globe",
        permission=Permission.VIEW_TENANT,
        section=Section.PREPARE,
        order=25,
        words="dns txt record verify proof",
    )
)
navigation.add(
    Entry(
        id="accounts.sso",
        label="Single sign-on",
        url="accounts:sso",
        icon="log-in",
        permission=Permission.VIEW_TENANT,
        section=Section.PREPARE,
        order=27,
        words="sso saml identity provider metadata certificate test company enforce links recovery cutback lockout",
    )
)
navigation.add(
    Entry(
        id="accounts.people",
        label="Who is who",
        url="accounts:people",
        icon="user-check",
        permission=Permission.VIEW_MEMBERS,
        section=Section.PREPARE,
        order=29,
        words="identity map users match merge split placeholder proposal conflict tenant link checkpoint",
    )
)
navigation.add(
    Entry(
        id="accounts.members",
        label="Members",
        url="accounts:members",
        icon="users",
        permission=Permission.VIEW_MEMBERS,
        section=Section.PEOPLE,
        order=80,
        words="people invite roles owners",
    )
)
navigation.add(
    Entry(
        id="accounts.access",
        label="Access review",
        url="accounts:access",
        icon="shield-check",
        permission=Permission.VIEW_MEMBERS,
        section=Section.PEOPLE,
        order=82,
        words="who has which role attest revoke recertify export csv xlsx pdf last seen",
    )
)
navigation.add(
    Entry(
        id="accounts.provisioning",
        label="Provisioning",
        url="accounts:provisioning",
        icon="refresh-cw",
        permission=Permission.VIEW_MEMBERS,
        section=Section.PREPARE,
        order=29,
        words="scim directory entra okta groups people sync",
    )
)
