"""PATCH as directories send it (RFC 7644 3.5.2), and as Entra ID and Okta do.

`scim2_models` reads and applies the operations. What it takes too strictly is written out here first: an operation
without a path whose keys are paths with filters, read-only attributes beside what is meant, a value wrapped in a list.
Who is in a group is changed by `membership`, in a time that grows with what is named and not with its square.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from scim2_models import Context, InvalidPathException, InvalidSyntaxException, InvalidValueException, PatchOp, Path

from accounts.domain.provisioning import membership
from accounts.domain.provisioning.resources import MODELS, POLICY, Group, User, check, member_ids, with_members

MOST_OPERATIONS = 100
LONGEST_PATH = 2_000
"""Characters; one with a filter has a few dozen, and reading one takes longer the longer it is."""
_OURS = frozenset({"id", "meta", "schemas", "groups"})
"""What only we may write: a client that sends the whole resource back means nothing by it."""


def patched(resource: User | Group, body: Any) -> User | Group:
    """Return a copy of the resource with the operations of a PATCH applied, all or none; `resource` stays as it is.

    Raises what `scim2_models` raises: no such path, nothing to act on, a value that cannot be, an attribute that is
    not the client's to change.
    """
    model = MODELS["User" if isinstance(resource, User) else "Group"]
    plain, on_members = _plain(model, body)
    operations: Any = PatchOp.__class_getitem__(model)
    request = operations.model_validate(plain, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=POLICY)
    bare = with_members(resource, ()) if isinstance(resource, Group) else resource
    copy = bare.model_copy(deep=True)
    request.patch(copy, POLICY)
    if isinstance(resource, Group) and isinstance(copy, Group):
        copy = with_members(copy, sorted(membership.changed(member_ids(resource), on_members)))
    check(copy)
    return copy


def _plain(model: type[User] | type[Group], body: Any) -> tuple[Any, list[Any]]:
    """Return the body with each operation as the standard writes it, and apart from it those on a group's members.

    What is no PATCH at all is left to the reader.
    """
    if not isinstance(body, dict):
        raise InvalidSyntaxException(detail="A PATCH is an object with schemas and Operations.")
    name = next((name for name in body if name.lower() == "operations"), "Operations")
    listed = body.get(name)
    if not isinstance(listed, list):
        return body, []
    written: list[Any] = []
    on_members: list[Any] = []
    for each in (each for one in listed for each in _operations(model, one)):
        if isinstance(each, dict) and len(str(each.get("path", ""))) > LONGEST_PATH:
            raise InvalidPathException(detail=f"A path has at most {LONGEST_PATH} characters.")
        (on_members if model is Group and membership.is_about(each) else written).append(each)
        if len(written) > MOST_OPERATIONS or len(on_members) > membership.MOST:
            raise InvalidValueException(
                detail=f"A PATCH has at most {MOST_OPERATIONS} operations, and {membership.MOST:,} on the members of a "
                "group; send several."
            )
    if listed and not written:  # nothing that is read here: an operation that changes nothing stands for it
        written = [{"op": "replace", "value": {}}]
    return {**body, name: written}, on_members


def _operations(model: type[User] | type[Group], operation: Any) -> Iterator[Any]:
    """Yield an operation as the standard writes it: one for each key of an operation without a path."""
    if not isinstance(operation, dict):
        yield operation
        return
    found = {name.lower(): value for name, value in operation.items()}
    path, value = found.get("path"), found.get("value")
    if path not in (None, ""):
        yield {**found, **({"value": _unwrapped(model, path, value)} if "value" in found else {})}
        return
    found.pop("path", None)
    if not isinstance(value, dict):
        yield found
        return
    yield from (
        {"op": found.get("op"), "path": key, "value": _unwrapped(model, key, each)}
        for key, each in _keys(model, value)
        if key.lower() not in _OURS
    )


def _keys(model: type[User] | type[Group], value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the paths of a value; attributes may stand inside their schema's name."""
    for key, each in value.items():
        if key.lower() == str(model.__schema__).lower() and isinstance(each, dict):
            yield from each.items()
        else:
            yield key, each


def _unwrapped(model: type[User] | type[Group], path: Any, value: Any) -> Any:
    """Return the one value of an attribute that has one, where it comes as a list of one `{"value": …}`."""
    if not (
        isinstance(path, str)
        and len(path) <= LONGEST_PATH
        and not membership.names(path)
        and isinstance(value, list)
        and len(value) == 1
        and isinstance(value[0], dict)
    ):
        return value
    try:
        binding = cast("Any", Path.__class_getitem__(model))(path).resolve()
    except InvalidPathException:
        return value
    single = binding is not None and not binding.is_multivalued and isinstance(binding.target_type, type)
    return value[0]["value"] if single and "value" in value[0] else value
