"""How a SAML response is changed by who forges one, or by a careless provider; each works on the tree of a response."""

import copy
from collections.abc import Callable
from typing import Any

from lxml import etree

from portal.demo import minting
from portal.demo.minting import SAML, SAMLP
from tests.sso import EMAIL

ATTACKER = "attacker@evil.example"


def saml(root: Any, name: str) -> Any:
    return next(root.iter(f"{{{SAML}}}{name}"))


def unset(name: str, attribute: str) -> Callable[[Any], object]:
    return lambda root: saml(root, name).attrib.pop(attribute)


def put(name: str, attribute: str, value: str) -> Callable[[Any], object]:
    return lambda root: saml(root, name).set(attribute, value)


def drop(name: str) -> Callable[[Any], object]:
    return lambda root: saml(root, name).getparent().remove(saml(root, name))


def write(name: str, value: str) -> Callable[[Any], object]:
    return lambda root: setattr(saml(root, name), "text", value)


def evil_twin(root: Any, *, new_id: bool = True) -> Any:
    """Return a copy of the signed assertion that names the attacker, without its signature."""
    twin = copy.deepcopy(minting.assertion_of(root))
    twin.remove(twin.find("{http://www.w3.org/2000/09/xmldsig#}Signature"))
    if new_id:
        twin.set("ID", minting.new_id())
    write("NameID", ATTACKER)(twin)
    return twin


def xsw1(root: Any) -> None:
    """Put the honest response inside the signature of an evil one. (As SAML Raider numbers them.)"""
    honest, signature = copy.deepcopy(root), _signature_of(root)
    honest.remove(_signature_of(honest))
    _be_evil(root)
    signature.append(honest)


def xsw2(root: Any) -> None:
    """Put the honest response in front of the signature of an evil one."""
    honest, signature = copy.deepcopy(root), _signature_of(root)
    honest.remove(_signature_of(honest))
    _be_evil(root)
    signature.addprevious(honest)


def xsw3(root: Any) -> None:
    """Put an evil assertion in front of the signed one."""
    root.insert(2, evil_twin(root))


def xsw4(root: Any) -> None:
    """Put the signed assertion inside the evil one."""
    honest, evil = minting.assertion_of(root), evil_twin(root)
    root.replace(honest, evil)
    evil.append(honest)


def xsw5(root: Any) -> None:
    """Change the signed assertion, and add the honest one, without its signature, at the end."""
    honest = copy.deepcopy(minting.assertion_of(root))
    honest.remove(_signature_of(honest))
    write("NameID", ATTACKER)(root)
    root.append(honest)


def xsw6(root: Any) -> None:
    """Change the signed assertion, and put the honest one into its signature."""
    honest = copy.deepcopy(minting.assertion_of(root))
    honest.remove(_signature_of(honest))
    write("NameID", ATTACKER)(root)
    _signature_of(minting.assertion_of(root)).append(honest)


def xsw7(root: Any) -> None:
    """Put an evil assertion into the response's extensions."""
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    root.insert(1, extensions)
    extensions.append(evil_twin(root, new_id=False))


def xsw8(root: Any) -> None:
    """Move the signature to the evil assertion, and the signed one into an object of the signature."""
    honest, evil = minting.assertion_of(root), evil_twin(root)
    signature = _signature_of(honest)
    honest.remove(signature)
    root.replace(honest, evil)
    evil.insert(1, signature)
    etree.SubElement(signature, "{http://www.w3.org/2000/09/xmldsig#}Object").append(honest)


def wrap_beside_last(root: Any) -> None:
    root.append(evil_twin(root))


def wrap_same_id(root: Any) -> None:
    root.insert(2, evil_twin(root, new_id=False))


def wrap_in_extensions(root: Any) -> None:
    """Hide the signed assertion in the response's extensions."""
    honest, evil = minting.assertion_of(root), evil_twin(root)
    root.replace(honest, evil)
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    root.insert(1, extensions)
    extensions.append(honest)


def wrap_in_response(root: Any) -> None:
    """Put the whole honest response inside an evil one."""
    honest, evil = copy.deepcopy(root), evil_twin(root)
    root.replace(minting.assertion_of(root), evil)
    etree.SubElement(evil, f"{{{SAML}}}Advice").append(honest)


def _signature_of(element: Any) -> Any:
    return element.find("{http://www.w3.org/2000/09/xmldsig#}Signature")


def _be_evil(root: Any) -> None:
    root.set("ID", minting.new_id())
    write("NameID", ATTACKER)(root)


def detach_signature(root: Any) -> None:
    """Leave the assertion's signature in the response, still pointing to the assertion."""
    signature = minting.assertion_of(root).find("{http://www.w3.org/2000/09/xmldsig#}Signature")
    root.insert(1, signature)


def transform(algorithm: str) -> Callable[[Any], object]:
    def change(root: Any) -> None:
        (transforms,) = root.xpath("//*[local-name() = 'Transforms']")
        etree.SubElement(transforms, "{http://www.w3.org/2000/09/xmldsig#}Transform", Algorithm=algorithm)

    return change


def refer_to_nothing(root: Any) -> None:
    next(root.iter("{http://www.w3.org/2000/09/xmldsig#}Reference")).set("URI", "")


def twice(root: Any) -> None:
    reference = next(root.iter("{http://www.w3.org/2000/09/xmldsig#}Reference"))
    reference.getparent().append(copy.deepcopy(reference))


def encrypted(root: Any) -> None:
    root.append(etree.Element(f"{{{SAML}}}EncryptedAssertion"))


def sign_in_twice(root: Any) -> None:
    statement = saml(root, "AuthnStatement")
    statement.addnext(copy.deepcopy(statement))


def repeat_attribute(root: Any) -> None:
    statement = etree.SubElement(minting.assertion_of(root), f"{{{SAML}}}AttributeStatement")
    for value in ("a", "b"):
        attribute = etree.SubElement(statement, f"{{{SAML}}}Attribute", Name="team")
        etree.SubElement(attribute, f"{{{SAML}}}AttributeValue").text = value


def comment_in_name(root: Any) -> None:
    """Split the name so that a reader of its first text sees another person."""
    name = saml(root, "NameID")
    name.text = EMAIL
    comment = etree.Comment("x")
    comment.tail = ".evil.example"
    name.append(comment)


def name_in_pieces(root: Any) -> None:
    name = saml(root, "NameID")
    name.text = EMAIL
    etree.SubElement(name, f"{{{SAML}}}x").text = ".evil.example"


def elsewhere(root: Any) -> Any:
    restriction = copy.deepcopy(saml(root, "AudienceRestriction"))
    saml(restriction, "Audience").text = "https://other.example"
    return restriction
