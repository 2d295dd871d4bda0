"""Texts that are kept encrypted in a column: Fernet, with the keys of FIELD_KEYS, newest first."""

from functools import cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def seal(text: str) -> str:
    """Encrypt with the newest key."""
    return _box(tuple(settings.FIELD_KEYS)).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Decrypt with whichever key it was encrypted with; raises `cryptography.fernet.InvalidToken` if none fits."""
    return _box(tuple(settings.FIELD_KEYS)).decrypt(sealed.encode()).decode()


@cache
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
