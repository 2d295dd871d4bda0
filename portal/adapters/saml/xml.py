"""XML from strangers, parsed so that it can only be read: no document type, no entities, no network, UTF-8 alone."""

import re
from collections import Counter
from typing import Any

from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names

from core.saml import Unreadable

type Element = Any
"""An lxml element: its stubs know no namespaces."""

NAMESPACES = {
    "samlp": Names.NS_SAMLP,
    "saml": Names.NS_SAML,
    "md": Names.NS_MD,
    "ds": Names.NS_DS,
}
SAMLP, SAML, DS, MD = (f"{{{NAMESPACES[prefix]}}}" for prefix in ("samlp", "saml", "ds", "md"))

ID_NAMES = ("ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id")
_ENCODING = re.compile(r"""^<\?xml[^>]*\sencoding=["']([^"']+)["']""")
_DECLARATION = re.compile(r"^<\?xml[^>]*\?>")


class UnreadableError(ValueError):
    """The text is no XML that is read here; `why` says what it is."""

    def __init__(self, why: Unreadable) -> None:
        super().__init__(why.value)
        self.why = why


def parse(document: bytes, *, comments: bool) -> Element:
    """Return the root of a UTF-8 document, with its comments or without; raises UnreadableError."""
    try:
        text = document.decode("utf-8-sig").lstrip()
    except UnicodeDecodeError as error:
        raise UnreadableError(Unreadable.NOT_XML) from error
    named = _ENCODING.match(text)
    if named and named[1].lower() not in {"utf-8", "us-ascii"}:
        raise UnreadableError(Unreadable.NOT_XML)
    # Before any parser sees it: libxml2 expands entities in attributes whatever it is told.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UnreadableError(Unreadable.DOCTYPE)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=not comments,
        remove_pis=not comments,
    )
    try:
        root: Element = etree.fromstring(_DECLARATION.sub("", text).encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableError(Unreadable.NOT_XML) from error
    if root.getroottree().docinfo.doctype:
        raise UnreadableError(Unreadable.DOCTYPE)
    return root


def find(element: Element, path: str) -> list[Element]:
    """Return the elements at an XPath."""
    found: list[Element] = element.xpath(path, namespaces=NAMESPACES)
    return found


def only(element: Element, path: str) -> Element | None:
    """Return the first element at an XPath, or None."""
    return next(iter(find(element, path)), None)


def text_of(element: Element | None) -> str | None:
    """Return an element's whole text, without the blanks around it; None for no element."""
    return None if element is None else "".join(element.itertext()).strip()


def has_repeated_ids(root: Element) -> bool:
    """Say whether two elements carry one ID, under whatever name a program may look for it."""
    ids = [element.get(name) for element in root.iter() if isinstance(element.tag, str) for name in ID_NAMES]
    return any(count > 1 for known, count in Counter(ids).items() if known is not None)
