"""SQL of the engine that reads values from texts, and that shows values as PostgreSQL does.

Numbers and booleans are read as docs/parity-encoding.md reads them; dates and moments as ISO 8601, with PostgreSQL's BC
and infinities. What is none of its kind is NULL, and its mark begins with `(unreadable)`: no platform shows that.

`t` is a column or something else that is short: it is repeated.
"""

from parity_reports.domain.gate import Family

_DIGITS = "([0-9]+[.]?[0-9]*|[.][0-9]+)"
_DAY = "[0-9]{4,7}-[0-9]{2}-[0-9]{2}"
_CLOCK = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
_OFFSET = "( ?(Z|UTC)|[+-][0-9]{2}(:?[0-9]{2})?)?"
_FIRST, _LAST = "4000-01-01 (BC)", "200000-12-31"
"""Between these the gate lets dates and moments pass as such; beyond, as the same text from every platform."""


def number(t: str) -> str:
    """Return the canonical text of a number: no exponent, no zero that says nothing; or that it is unreadable."""
    return (
        f"CASE WHEN {_matches(t, f'[+-]?{_DIGITS}')} THEN {_plain(t)} "
        f"WHEN {_matches(t, f'[+-]?{_DIGITS}[eE][+-]?[0-9]{{1,3}}')} THEN {_plain(_expanded(t))} "
        f"WHEN lower({t}) = 'nan' THEN 'NaN' "
        f"WHEN lower({t}) IN ('inf', '+inf', 'infinity', '+infinity') THEN 'Infinity' "
        f"WHEN lower({t}) IN ('-inf', '-infinity') THEN '-Infinity' ELSE {unreadable(t)} END"
    )


def whole(t: str) -> str:
    """Return a whole number of 64 bits."""
    return (
        f"CASE WHEN {_matches(t, '[+-]?[0-9]{1,18}')} THEN {t}::BIGINT "
        f"ELSE TRY_CAST(regexp_extract({number(t)}, '^-?[0-9]+$') AS BIGINT) END"
    )


def decimal(t: str, *, precision: int, scale: int) -> str:
    """Return a decimal, if it is exactly one of so many digits."""
    fraction = f"([.][0-9]{{1,{scale}}})?" if scale else ""
    shape = f"^-?[0-9]{{1,{max(precision - scale, 1)}}}{fraction}$"
    return f"TRY_CAST(regexp_extract({number(t)}, '{shape}') AS DECIMAL({precision},{scale}))"


def double(t: str) -> str:
    """Return a double."""
    shown = f"CASE WHEN {_matches(t, f'[+-]?{_DIGITS}([eE][+-]?[0-9]{{1,3}})?')} THEN {t} "
    return f"TRY_CAST({shown} WHEN regexp_full_match({t}, '[+-]?(nan|inf|infinity)', 'i') THEN {t} END AS DOUBLE)"


def boolean(t: str) -> str:
    """Return a boolean."""
    return f"CASE WHEN lower({t}) IN ('true', 't', '1') THEN TRUE WHEN lower({t}) IN ('false', 'f', '0') THEN FALSE END"


def date(t: str) -> str:
    """Return a date that the gate lets pass as such."""
    return _within("DATE", f"CASE WHEN {_matches(t, f'{_DAY}( BC)?')} THEN {_era(t)} END")


def clock(t: str) -> str:
    """Return a moment without a zone."""
    return _within("TIMESTAMP", f"CASE WHEN {_matches(t, f'{_DAY}[ T]{_CLOCK}( BC)?')} THEN {_era(t)} END")


def instant(t: str) -> str:
    """Return a moment; one without an offset is UTC."""
    return _within("TIMESTAMPTZ", f"CASE WHEN {_matches(t, f'{_DAY}[ T]{_CLOCK}{_OFFSET}( BC)?')} THEN {_era(t)} END")


def time(t: str) -> str:
    """Return a time of day."""
    return f"CASE WHEN {_matches(t, _CLOCK)} THEN TRY_CAST({t} AS TIME) END"


def uuid(t: str) -> str:
    """Return a UUID."""
    shape = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    return f"CASE WHEN {_matches(t, shape)} THEN TRY_CAST({t} AS UUID) END"


def octets(t: str) -> str:
    """Return bytes from hexadecimal digits."""
    return f"CASE WHEN {_matches(t, '(\\\\x)?([0-9a-fA-F]{2})*')} THEN unhex(regexp_replace({t}, '^\\\\x', '')) END"


def unreadable(t: str) -> str:
    """Return the mark of a text that is none of its kind."""
    return f"'(unreadable) ' || {t}"


def far(t: str) -> str:
    """Return the mark of a date or moment beyond the gate's borders."""
    shape = f"-?infinity|{_DAY}([ T]{_CLOCK}{_OFFSET})?( BC)?"
    return f"CASE WHEN {_matches(t, shape)} THEN {t} ELSE {unreadable(t)} END"


READERS = {
    Family.INTEGER: whole,
    Family.FLOAT: double,
    Family.BOOLEAN: boolean,
    Family.UUID: uuid,
    Family.BYTES: octets,
    Family.DATE: date,
    Family.TIME: time,
    Family.TIMESTAMP: clock,
    Family.TIMESTAMPTZ: instant,
}
MARKS = {
    # Numbers beyond what their column can hold are told from each other, by their digits.
    Family.INTEGER: number,
    Family.NUMERIC: number,
    Family.DATE: far,
    Family.TIMESTAMP: far,
    Family.TIMESTAMPTZ: far,
}


def shown_moment(value: str) -> str:
    """Show a date or moment: the era at the end."""
    return f"regexp_replace(({value})::VARCHAR, '^([^ ]+) \\(BC\\)(.*)$', '\\1\\2 BC')"


def shown_float(value: str) -> str:
    """Show a float: no fraction where there is none."""
    plain = f"regexp_replace(({value})::VARCHAR, '[.]0$', '')"
    endless = f"WHEN isinf({value}) THEN replace({plain}, 'inf', 'Infinity')"
    return f"CASE WHEN isnan({value}) THEN 'NaN' {endless} ELSE {plain} END"


def shown_octets(value: str) -> str:
    """Show bytes in hexadecimal."""
    return f"'\\x' || lower(hex({value}))"


def _matches(t: str, pattern: str) -> str:
    return f"regexp_full_match({t}, '{pattern}')"


def _plain(t: str) -> str:
    """Return a number of sign, digits and point as simply as can be: '+007.50' as '7.5', '-.0' as '0'."""
    steps = (
        ("^[+]", ""),
        ("^(-?)[.]", "\\10."),
        ("^(-?)0+([0-9])", "\\1\\2"),
        ("[.]0*$", ""),
        ("([.][0-9]*[1-9])0+$", "\\1"),
        ("^-0$", "0"),
    )
    for pattern, instead in steps:
        t = f"regexp_replace({t}, '{pattern}', '{instead}')"
    return t


def _expanded(t: str) -> str:
    """Write 1.5e3 out: its figures, with the point where the exponent puts it."""
    mantissa = f"ltrim(regexp_extract({t}, '^[^eE]*'), '+-')"
    figures = f"replace({mantissa}, '.', '')"
    point = f"(regexp_extract({t}, '[eE](.*)$', 1)::INTEGER + strlen(split_part({mantissa}, '.', 1)))"
    return (
        f"(CASE WHEN starts_with({t}, '-') THEN '-' ELSE '' END) || CASE WHEN {point} >= strlen({figures}) "
        f"THEN {figures} || repeat('0', {point} - strlen({figures})) "
        f"WHEN {point} <= 0 THEN '0.' || repeat('0', -{point}) || {figures} "
        f"ELSE left({figures}, {point}) || '.' || substr({figures}, {point} + 1) END"
    )


def _era(t: str) -> str:
    """Bring PostgreSQL's BC to where the engine reads it: behind the day."""
    return f"regexp_replace({t}, '^([0-9-]+)(.*) BC$', '\\1 (BC)\\2')"


def _within(kind: str, t: str) -> str:
    value = f"TRY_CAST({t} AS {kind})"
    return f"CASE WHEN {value} BETWEEN {kind} '{_FIRST}' AND {kind} '{_LAST}' THEN {value} END"
