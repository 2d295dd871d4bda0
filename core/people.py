"""A person as one of the two platforms knows them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody's account on a platform.

    `key` is the platform's own and never given to another. `external_id` and `user_name` are what a directory would
    call them (RFC 7643); either may be empty. `role` is the new platform's word for what they may do, on both sides,
    so that the two can be compared; `is_owner` tells whether it is the widest.
    """

    key: str
    external_id: str = ""
    user_name: str = ""
    email: str = ""
    name: str = ""
    role: str = ""
    is_owner: bool = False
    is_active: bool = True
