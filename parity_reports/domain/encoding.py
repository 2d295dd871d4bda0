"""The canonical encoding of records, and their digests: `crossing-parity/1`, as docs/parity-encoding.md publishes it.

Whoever encodes the same value, in whatever engine, gets the same bytes; two values that are not the same never do.
Values come as what a driver gives, or as text in the form an export has. This file needs the standard library alone:
it is a part of the verifier that customers run.
"""

import hashlib
import json
import math
import re
import struct
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

VERSION = "crossing-parity/1"

NULL = b"N"
NAN, INFINITY, MINUS_INFINITY = "NaN", "infinity", "-infinity"

DIGEST_BITS = 60

_MARKS = {
    "nan": NAN, "inf": INFINITY, "+inf": INFINITY, "infinity": INFINITY, "+infinity": INFINITY,
    "-inf": MINUS_INFINITY, "-infinity": MINUS_INFINITY,
}  # fmt: skip
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d{1,6}))?", re.ASCII)
_DAY = re.compile(r"(\d{4,7})-(\d\d)-(\d\d)( BC)?", re.ASCII)
_CLOCK = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4,7}-\d\d-\d\d)[T ]([\d:.]+)(?: ?(Z|UTC)| ?([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?)?( BC)?", re.ASCII
)
_ISO_SPAN = re.compile(
    r"P(?:([+-]?\d+)Y)?(?:([+-]?\d+)M)?(?:([+-]?\d+)W)?(?:([+-]?\d+)D)?"
    r"(?:T(?:([+-]?\d+)H)?(?:([+-]?\d+)M)?(?:([+-]?)(\d+)(?:\.(\d+))?S)?)?",
    re.ASCII,
)
_SPAN = re.compile(
    r"(?:([+-]?\d+) years?)? ?(?:([+-]?\d+) mons?)? ?(?:([+-]?\d+) days?)? ?"
    r"(?:([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?)?",
    re.ASCII,
)
_KIND = re.compile(r"([a-z]+)(?:\((\d{1,5})\))?", re.ASCII)
_LONGEST_NUMBER = 200_000
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class NotEncodable(ValueError):
    """A value that is not one of its kind; the text says why, without the value."""


def field(kind: str, value: Any) -> bytes:
    """Encode one value: its UTF-8 octets after their number and a colon, `N` for NULL.

    Raises NotEncodable for a value that is none of this kind.
    """
    if value is None:
        return NULL
    shape, parameter = _shape(kind)
    try:
        octets = _ENCODERS[shape](value, parameter).encode()
    except UnicodeEncodeError:
        raise NotEncodable("holds a character that no text may hold (half of a surrogate pair)") from None
    return b"%d:%b" % (len(octets), octets)


def record(kinds: Sequence[str], values: Iterable[Any], *, code: str = "") -> bytes:
    """Encode a record: its code, then its fields in the declared order, with nothing between them."""
    return field("text", code) + b"".join(field(kind, value) for kind, value in zip(kinds, values, strict=True))


def digest_of(encoded: bytes) -> int:
    """Return the first 60 bits of the MD5 of an encoded record, as a number."""
    return int(hashlib.md5(encoded, usedforsecurity=False).hexdigest()[: DIGEST_BITS // 4], 16)


def is_kind(kind: str) -> bool:
    """Tell whether this version knows a kind."""
    try:
        _shape(kind)
    except NotEncodable:
        return False
    return True


@lru_cache(maxsize=256)
def _shape(kind: str) -> tuple[str, int]:
    found = _KIND.fullmatch(kind)
    if found is None or found[1] not in _ENCODERS or (found[2] is None) is (found[1] in _WITH_PARAMETER):
        raise NotEncodable(f"is of the kind “{kind[:40]}”, which {VERSION} does not know")
    return found[1], int(found[2] or 0)


def _text(value: Any, _: int) -> str:
    if not isinstance(value, str):
        raise NotEncodable("is not text")
    return value


def _integer(value: Any, _: int) -> str:
    shown = _decimal(value, 0)
    if "." in shown or shown in (NAN, INFINITY, MINUS_INFINITY):
        raise NotEncodable("is not a whole number")
    return shown


def _number(value: Any, _: int) -> str:
    return _decimal(value, 0)


def _decimal(value: Any, scale: int) -> str:
    """Write a number out at its declared scale; digits beyond it that are not zero stay, so nothing is rounded."""
    number = _exact(value)
    if isinstance(number, str):
        return number
    whole, _, fraction = format(number.copy_abs(), "f").partition(".")
    fraction = fraction.rstrip("0").ljust(scale, "0")
    shown = f"{whole.lstrip('0') or '0'}.{fraction}" if fraction else whole.lstrip("0") or "0"
    return f"-{shown}" if number < 0 else shown


def _float(value: Any, digits: int) -> str:
    """Write round(x·10^digits), half away from zero, of the double's first 15 significant digits."""
    return _rounded(_double(value), ".15g", digits)


def _real(value: Any, digits: int) -> str:
    """Write a float of single precision, by its first 6 significant digits."""
    near = _double(value)
    if not isinstance(near, str):
        near = _single(near)
    return _rounded(near, ".6g", digits)


def _single(near: float) -> float:
    try:
        single: float = struct.unpack("f", struct.pack("f", near))[0]
    except OverflowError:  # so do some versions of Python; others give infinity
        single = math.inf
    if math.isinf(single):
        raise NotEncodable("is larger than any float of single precision")
    return single


def _double(value: Any) -> float | str:
    exact = _exact(value)
    if isinstance(exact, str):
        return exact
    near = float(exact)
    if math.isinf(near):
        raise NotEncodable("is larger than any double")
    return near


def _rounded(near: float | str, significant: str, digits: int) -> str:
    if isinstance(near, str):
        return near
    if near == 0 and math.copysign(1, near) < 0:
        return "-0"  # a zero of its own; what merely rounds to zero is 0
    sign, figures, exponent = Decimal(format(near, significant)).as_tuple()
    assert isinstance(exponent, int)
    whole, shift = int("".join(map(str, figures))), exponent + digits
    if shift >= 0:
        whole *= 10**shift
    else:
        unit = 10**-shift
        whole = (2 * whole + unit) // (2 * unit)
    return f"-{whole}" if sign and whole else str(whole)


def _exact(value: Any) -> Decimal | str:
    """Return a number as written, or its mark."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise NotEncodable("is not a number")
    shown = value if isinstance(value, str) else repr(value) if isinstance(value, float) else str(value)
    if mark := _MARKS.get(shown.lower()):
        return mark
    found = _NUMBER.fullmatch(shown)
    if found is None:
        raise NotEncodable("is not a number")
    if len(shown) + abs(int(found[1] or 0)) > _LONGEST_NUMBER:
        raise NotEncodable("is a number of too many digits")
    return Decimal(shown)


def _boolean(value: Any, _: int) -> str:
    found = {"true": "1", "t": "1", "1": "1", "false": "0", "f": "0", "0": "0"}.get(str(value).lower())
    if found is None:
        raise NotEncodable("is neither true nor false")
    return found


def _date(value: Any, _: int) -> str:
    shown = value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value
    if not isinstance(shown, str):
        raise NotEncodable("is not a date")
    if (mark := _MARKS.get(shown.lower())) and mark != NAN:
        return mark
    found = _DAY.fullmatch(shown)
    if found is None:
        raise NotEncodable("is not a date (YYYY-MM-DD)")
    year, month, day = _day(found)
    return f"{year:04d}-{month:02d}-{day:02d}{found[4] or ''}"


def _time(value: Any, _: int) -> str:
    shown = value.isoformat() if isinstance(value, time) else value
    found = _CLOCK.fullmatch(shown) if isinstance(shown, str) else None
    if found is None:
        raise NotEncodable("is not a time of day (HH:MM:SS)")
    return str(_microseconds(found))


def _timestamp(value: Any, _: int) -> str:
    """Write the microseconds since 1970-01-01 00:00 UTC; a moment without an offset is taken as UTC."""
    shown = value.isoformat() if isinstance(value, datetime) else value
    if not isinstance(shown, str):
        raise NotEncodable("is not a moment")
    if (mark := _MARKS.get(shown.lower())) and mark != NAN:
        return mark
    found = _MOMENT.fullmatch(shown)
    clock = _CLOCK.fullmatch(found[2]) if found else None
    if found is None or clock is None:
        raise NotEncodable("is not a moment (YYYY-MM-DD HH:MM:SS, with or without an offset)")
    on = _DAY.fullmatch(found[1] + (found[8] or ""))
    assert on is not None
    year, month, day = _day(on)
    offset = 1_000_000 * (3600 * int(found[5] or 0) + 60 * int(found[6] or 0) + int(found[7] or 0))
    if found[4] == "-":
        offset = -offset
    days = _days(1 - year if on[4] else year, month, day)
    return str(days * 86_400_000_000 + _microseconds(clock) - offset)


def _day(found: re.Match[str]) -> tuple[int, int, int]:
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    astronomical = 1 - year if found[4] else year
    leap = astronomical % 4 == 0 and (astronomical % 100 != 0 or astronomical % 400 == 0)
    if not year or not 1 <= month <= 12 or not 1 <= day <= _MONTH_DAYS[month - 1] - (month == 2 and not leap):
        raise NotEncodable("names a day that no calendar has")
    return year, month, day


def _days(year: int, month: int, day: int) -> int:
    """Count the days since 1970-01-01 in the Gregorian calendar, carried on before its beginning and without end."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _microseconds(found: re.Match[str]) -> int:
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3] or 0)
    total = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + _fraction(found[4])
    if minutes > 59 or seconds > 59 or total > 86_400_000_000:
        raise NotEncodable("names a time that no day has")
    return total


def _fraction(digits: str | None) -> int:
    shown = (digits or "").rstrip("0")
    if len(shown) > 6:
        raise NotEncodable("is finer than a microsecond")
    return int(shown.ljust(6, "0"))


def _interval(value: Any, _: int) -> str:
    """Write months, days and microseconds, which are three different things: a month is not 30 days."""
    if isinstance(value, timedelta):
        return f"0,{value.days},{value.seconds * 1_000_000 + value.microseconds}"
    if not isinstance(value, str):
        raise NotEncodable("is not an interval")
    if (mark := _MARKS.get(value.lower())) and mark != NAN:
        return mark
    if (found := _ISO_SPAN.fullmatch(value)) and value not in ("P", "PT"):
        years, months, weeks, days, hours, minutes = (int(part or 0) for part in found.groups()[:6])
        seconds = 1_000_000 * int(found[8] or 0) + _fraction(found[9])
        clock = (hours * 60 + minutes) * 60_000_000 + (-seconds if found[7] == "-" else seconds)
    elif (found := _SPAN.fullmatch(value)) and value.strip():
        (years, months, days), weeks = (int(part or 0) for part in found.groups()[:3]), 0
        hours, minutes, whole = (int(part or 0) for part in found.groups()[4:7])
        clock = ((hours * 60 + minutes) * 60 + whole) * 1_000_000 + _fraction(found[8])
        clock = -clock if found[4] == "-" else clock
    else:
        raise NotEncodable("is not an interval (P1DT2H, or 1 day 02:00:00)")
    return f"{12 * years + months},{7 * weeks + days},{clock}"


def _uuid(value: Any, _: int) -> str:
    try:
        return str(value if isinstance(value, uuid.UUID) else uuid.UUID(value))
    except (ValueError, TypeError, AttributeError):
        raise NotEncodable("is not a UUID") from None


def _bytes(value: Any, _: int) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    shown = value[2:] if isinstance(value, str) and value.startswith("\\x") else value
    if not isinstance(shown, str) or len(shown) % 2 or not re.fullmatch(r"[0-9a-fA-F]*", shown):
        raise NotEncodable("is not a sequence of bytes in hexadecimal")
    return shown.lower()


def _json(value: Any, _: int) -> str:
    """Write JSON as RFC 8785 does: names sorted, numbers in their shortest form, no white space."""
    if isinstance(value, str):
        try:
            value = json.loads(
                value, parse_int=Decimal, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_names
            )
        except (ValueError, RecursionError) as error:
            raise error if isinstance(error, NotEncodable) else NotEncodable("is not JSON") from None
    try:
        return _canonical(value)
    except RecursionError:
        raise NotEncodable("is JSON nested too deeply") from None


def _names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotEncodable("is JSON that gives one name twice")
    return found


def _no_constant(_: str) -> Any:
    raise NotEncodable("is not JSON")


def _canonical(value: Any) -> str:
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float, Decimal)):
        return _json_number(value)
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(_canonical, value))}]"
    if isinstance(value, dict):
        order = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_canonical(name)}:{_canonical(value[name])}" for name in order) + "}"
    raise NotEncodable("is not JSON")


def _json_number(value: float | Decimal) -> str:
    """Write a number as ECMAScript does; one that no double holds as written keeps all its digits instead."""
    exact = _exact(value)
    if isinstance(exact, str):
        raise NotEncodable("is not JSON")
    shortest = repr(float(exact))
    if shortest == "inf" or shortest == "-inf" or Decimal(shortest) != exact:
        return _decimal(value, 0)
    _, figures, exponent = Decimal(shortest).normalize().as_tuple()
    assert isinstance(exponent, int)
    digits, point = "".join(map(str, figures)), len(figures) + exponent
    if -6 < point <= 21:
        return _decimal(value, 0)
    head, tail = digits[0], digits[1:]
    shown = f"{head}.{tail}" if tail else head
    return f"{'-' if exact < 0 else ''}{shown}e{point - 1:+d}"


_ENCODERS: dict[str, Callable[[Any, int], str]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "decimal": _decimal,
    "float": _float,
    "real": _real,
    "boolean": _boolean,
    "date": _date,
    "time": _time,
    "timestamp": _timestamp,
    "interval": _interval,
    "uuid": _uuid,
    "bytes": _bytes,
    "json": _json,
}
_WITH_PARAMETER = ("decimal", "float", "real")
