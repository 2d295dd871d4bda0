"""What python3-saml itself says of a response, in its strict mode: a second opinion that shares no code with ours."""

from urllib.parse import urlsplit

from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from core.saml import ProviderMetadata, ServiceProvider
from portal.adapters.saml import certificates

_CODES = {
    number: name
    for name, number in vars(OneLogin_Saml2_ValidationError).items()
    if name.isupper() and isinstance(number, int)
}
_CLOCKS = frozenset({"SESSION_EXPIRED", "WRONG_SUBJECTCONFIRMATION"})
"""What it allows no second for, and our rules two minutes; they ask more of the rest of a confirmation than it does."""


def objection(encoded: str, *, sp: ServiceProvider, idp: ProviderMetadata, request_id: str) -> str:
    """Return its reason to refuse a response, by its bare name."""
    try:
        response = OneLogin_Saml2_Response(_settings(sp, idp), encoded)
        response.is_valid(_received_at(sp), request_id=request_id, raise_exceptions=True)
        response.get_nameid()
        response.get_attributes()
    except OneLogin_Saml2_ValidationError as error:
        name = _CODES.get(error.code, "REFUSED")
        return _unsigned(encoded, idp) if name in _CLOCKS else name
    except (OneLogin_Saml2_Error, etree.LxmlError, ValueError, TypeError):
        return "UNREADABLE"
    return ""


def _unsigned(encoded: str, idp: ProviderMetadata) -> str:
    """Return the objection to the signature, which it looks at last and so not at all where a clock has stopped it."""
    holds = OneLogin_Saml2_Utils.validate_sign(
        OneLogin_Saml2_Utils.b64decode(encoded),
        multicerts=[certificates.armoured(each) for each in idp.certificates],
        xpath=OneLogin_Saml2_Utils.ASSERTION_SIGNATURE_XPATH,
    )
    return "" if holds else "INVALID_SIGNATURE"


def _received_at(sp: ServiceProvider) -> dict[str, object]:
    """Return the request as it must have come: at our address of the settings, whatever host was named."""
    parts = urlsplit(sp.acs_url)
    return {
        "https": "on" if parts.scheme == "https" else "off",
        "http_host": parts.netloc,
        "script_name": parts.path,
        "get_data": {},
        "post_data": {},
    }


def _settings(sp: ServiceProvider, idp: ProviderMetadata) -> OneLogin_Saml2_Settings:
    return OneLogin_Saml2_Settings(
        {
            "strict": True,
            "sp": {
                "entityId": sp.entity_id,
                "assertionConsumerService": {"url": sp.acs_url, "binding": Names.BINDING_HTTP_POST},
            },
            "idp": {
                "entityId": idp.entity_id,
                "singleSignOnService": {"url": idp.sso_url, "binding": Names.BINDING_HTTP_REDIRECT},
                "x509certMulti": {"signing": [each.der for each in idp.certificates]},
            },
            "security": {
                "wantAssertionsSigned": True,
                "wantAttributeStatement": False,
                "rejectDeprecatedAlgorithm": True,
                "requestedAuthnContext": False,
                "allowSingleLabelDomains": True,
            },
        }
    )
