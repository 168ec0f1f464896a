"""
What stands in a cassette in place of a secret or of personal data.
"""

import re

import attrs

# {n}: which one it is, in the order in which they appear in the cassette.
TEMPLATES = {
    "address": "Address {n}",
    "client-id": "client-id-{n}",
    "e-mail": "person{n}@example.com",
    "first-name": "Firstname{n}",
    "full-name": "Firstname Lastname{n}",
    "ip": "192.0.2.{n}",
    "last-name": "Lastname{n}",
    "middle-name": "Middlename{n}",
    "name": "Name {n}",
    "secret": "secret-{n}",
    "token": "token-{n}",
}
# The same for everybody: numbered ones would not be dates, or not be Base64.
CONSTANTS = {
    "birth-date": "1970-01-01",
    "birth-month": "01",
    "birth-year": "1970",
    "certificate": "c2NydWJiZWQ=",
}
# As long as the original, with everything but its digits: 47 11 22 33 becomes 00 00 00 01.
DIGITS = frozenset({"account", "bank-account", "national-id", "phone"})
KINDS = frozenset({*TEMPLATES, *CONSTANTS, *DIGITS})

_ALL_BUT_ZEROS = re.compile(r"\D*(?:0\D*)*(\d\D*){0,3}")


@attrs.define
class Placeholders:
    """
    The placeholders of one cassette: one and the same for one and the same value.

    A value that is a placeholder already stays, so that scrubbing twice changes nothing.
    """

    _given: dict[tuple[str, str], str] = attrs.field(factory=dict)

    def put(self, kind: str, value: str) -> str:
        """
        What stands for *value*.
        """
        if not value:
            return value
        if kind in CONSTANTS:
            return CONSTANTS[kind]
        if is_placeholder(kind, value):
            self._given[kind, value] = value  # taken, by what was scrubbed before
        found = self._given.get((kind, value))
        if found is None:
            found = self._given[kind, value] = self._new(kind, value)
        return found

    def known(self, *kinds: str) -> dict[str, str]:
        """
        What was replaced so far, of these kinds: value to placeholder.
        """
        return {value: put for (kind, value), put in self._given.items() if kind in kinds}

    def _new(self, kind: str, value: str) -> str:
        taken = {put for (other, _), put in self._given.items() if other == kind}
        number = 1
        while (put := _numbered(kind, value, number)) in taken:
            number += 1
        return put


def is_placeholder(kind: str, value: str) -> bool:
    """
    Whether *value* is what stands for something of that kind.
    """
    if kind in CONSTANTS:
        return value == CONSTANTS[kind]
    if kind in DIGITS:
        return bool(_ALL_BUT_ZEROS.fullmatch(value)) and len(re.sub(r"\D", "", value)) > 3
    pattern = re.escape(TEMPLATES[kind]).replace(r"\ \{n\}", r"(?: \d+)?").replace(r"\{n\}", r"\d*")
    return bool(re.fullmatch(pattern, value))


def constant(kind: str, value: str) -> str:
    """
    A placeholder that needs no memory: for what a request is matched by.
    """
    if not value or is_placeholder(kind, value):
        return value
    if kind in CONSTANTS:
        return CONSTANTS[kind]
    return _digits(value, 0) if kind in DIGITS else TEMPLATES[kind].format(n="").strip()


def _numbered(kind: str, value: str, number: int) -> str:
    return _digits(value, number) if kind in DIGITS else TEMPLATES[kind].format(n=number)


def _digits(value: str, number: int) -> str:
    """
    *value* with its digits replaced by *number*, filled up with zeros; letters are zeros too.
    """
    value = re.sub(r"[A-Za-z]", "0", value)
    count = max(len(re.sub(r"\D", "", value)), 4)
    new = iter(f"{number:0{count}d}")
    put = re.sub(r"\d", lambda _match: next(new), value)
    return put + "".join(new)
