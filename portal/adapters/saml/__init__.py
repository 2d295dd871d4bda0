"""SAML 2.0 by python3-saml and xmlsec: reading and writing messages; what they are worth is judged elsewhere."""

from portal.adapters.saml.provider import OneloginProvider

__all__ = ["OneloginProvider"]
