"""The rules of the identity map once more, read naively from the page that explains them: what the SQL must say too."""

from collections import Counter
from collections.abc import Sequence

from core.people import Person

type Judged = dict[str, tuple[str, str, str | None]]
"""By legacy key: outcome, rule, and the key of the person of the new platform."""


def judge(legacy: Sequence[Person], new: Sequence[Person], *, proven: set[str]) -> Judged:
    """Judge everybody, about whom nothing was decided yet."""
    there = [person for person in new if person.is_active]
    active = [person for person in legacy if person.is_active]
    same = {name: Counter(getattr(person, name).lower() for person in active) for name in ("user_name", "email")}
    ids = Counter(person.external_id for person in active)
    judged: Judged = {}
    for person in legacy:
        judged[person.key] = _by_key(person, there, ids, same["user_name"])
    by_id = {found for _, rule, found in judged.values() if rule == "external_id"}
    for key, (_, rule, found) in judged.items():
        if rule == "user_name" and found in by_id:
            judged[key] = ("conflict", "taken", found)
    held = {found for _, rule, found in judged.values() if rule in ("external_id", "user_name")}
    held |= {found for _, rule, found in judged.values() if rule == "taken"}
    for person in legacy:
        if judged[person.key][1] == "":
            judged[person.key] = _by_address(person, there, same["email"], held, proven)
    return judged


def _by_key(person: Person, there: list[Person], ids: Counter[str], names: Counter[str]) -> tuple[str, str, str | None]:
    if not person.is_active:
        return ("dropped", "inactive", None)
    with_id = [each for each in there if person.external_id and each.external_id == person.external_id]
    with_name = [each for each in there if person.user_name and each.user_name.lower() == person.user_name.lower()]
    if person.external_id and ids[person.external_id] > 1:
        return ("conflict", "external_id_twice", _only(with_id or with_name))
    if len(with_id) > 1:
        return ("conflict", "new_twice", None)
    if with_id and len(with_name) == 1 and with_name[0] is not with_id[0]:
        return ("conflict", "keys_disagree", with_id[0].key)
    if with_id:
        return ("mapped", "external_id", with_id[0].key)
    if person.user_name and names[person.user_name.lower()] > 1:
        return ("conflict", "user_name_twice", _only(with_name))
    if len(with_name) > 1:
        return ("conflict", "new_twice", None)
    if with_name and person.external_id and with_name[0].external_id:
        return ("conflict", "keys_disagree", with_name[0].key)
    if with_name:
        return ("mapped", "user_name", with_name[0].key)
    return ("", "", None)


def _by_address(
    person: Person, there: list[Person], addresses: Counter[str], held: set[str | None], proven: set[str]
) -> tuple[str, str, str | None]:
    found = [each for each in there if person.email and each.email.lower() == person.email.lower()]
    if not found:
        return ("placeholder", "nobody", None)
    if person.email.lower().rpartition("@")[2] not in proven:
        return ("placeholder", "domain_not_proven", None)
    if len(found) == 1 and found[0].key in held:
        return ("conflict", "taken", found[0].key)
    if len(found) > 1 or addresses[person.email.lower()] > 1:
        return ("conflict", "address_twice", _only(found))
    return ("proposed", "address", found[0].key)


def _only(found: list[Person]) -> str | None:
    return found[0].key if len(found) == 1 else None
