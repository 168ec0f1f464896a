"""
What secrets and personal data look like when no name tells: shapes in any text.
"""

import datetime
import re
from collections.abc import Callable, Iterator

import attrs

# Reserved for documentation and tests: RFC 2606 and RFC 6761.
_HARMLESS_DOMAIN = re.compile(
    r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)$", re.IGNORECASE
)
_JWT = re.compile(r"\beyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?")
# Bounded, and begun only where a word begins: files in Base64 are one word of megabytes.
_EMAIL = re.compile(r"(?<![\w.%+'-])[\w.%+'-]{1,64}@((?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,})")
_PHONE = re.compile(r"(?<![\w+])(?:\+|00)[1-9](?:[ -]?\d){7,14}(?!\d|\.\d)")
_NATIONAL_ID = re.compile(
    r"(?<![\w.+-])(?:\d{11}|(?:\d{2})?\d{6}[-+A]?\d{3}[0-9A-Y])(?![\w-]|\.\d)"
)

_ELEVEN_FIRST = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_ELEVEN_SECOND = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_FINNISH = "0123456789ABCDEFHJKLMNPRSTUVWXY"


@attrs.frozen
class Shape:
    """
    One kind of thing that can be told by its looks.

    Attributes:
        kind: What it is, as a scan names it.

        pattern: Where it may be.

        is_one: Whether a match really is one.
    """

    kind: str
    pattern: re.Pattern[str]
    is_one: Callable[[re.Match[str]], bool] = lambda _match: True

    def find(self, text: str) -> Iterator[re.Match[str]]:
        """
        Every one in *text*.
        """
        return (match for match in self.pattern.finditer(text) if self.is_one(match))

    def replace(self, text: str, put: Callable[[str], str]) -> str:
        """
        *text* with each of them replaced by what *put* gives for it.
        """
        return self.pattern.sub(lambda m: put(m[0]) if self.is_one(m) else m[0], text)


def is_national_id(text: str) -> bool:
    """
    Whether *text* is a well-formed Norwegian, Swedish, Danish or Finnish personal number.

    Checksums decide where there are any: eleven digits alone are as often an order number.
    """
    digits = re.sub(r"\D", "", text)
    if re.fullmatch(r"\d{11}", text):
        return _is_norwegian(text)
    if re.fullmatch(r"\d{6}[-+A]\d{3}[0-9A-Y]", text) and _is_finnish(text):
        return True
    if re.fullmatch(r"(?:\d{2})?\d{6}[-+]?\d{4}", text) and len(digits) in {10, 12}:
        return _is_swedish(digits[-10:]) or _is_danish(text)
    return False


def _is_norwegian(text: str) -> bool:
    numbers = [int(digit) for digit in text]
    first = -sum(n * w for n, w in zip(numbers, _ELEVEN_FIRST, strict=False)) % 11
    second = -sum(n * w for n, w in zip(numbers, _ELEVEN_SECOND, strict=False)) % 11
    # D-numbers add 4 to the first digit, synthetic ones 4 or 8 to the third.
    day, month = int(text[:2]) % 40, int(text[2:4]) % 40
    return [first, second] == numbers[9:] and _is_day(day, month)


def _is_swedish(digits: str) -> bool:
    doubled = [int(d) * (2 - place % 2) for place, d in enumerate(digits)]
    # Co-ordination numbers add 60 to the day.
    day = int(digits[4:6]) % 60
    return sum(n // 10 + n % 10 for n in doubled) % 10 == 0 and _is_day(day, int(digits[2:4]))


def _is_danish(text: str) -> bool:
    """
    By its hyphen and its date: numbers given since 2007 have no checksum.
    """
    return bool(re.fullmatch(r"\d{6}-\d{4}", text)) and _is_day(int(text[:2]), int(text[2:4]))


def _is_finnish(text: str) -> bool:
    number = int(text[:6] + text[7:10])
    return _FINNISH[number % 31] == text[10] and _is_day(int(text[:2]), int(text[2:4]))


def _is_day(day: int, month: int) -> bool:
    try:
        datetime.date(2000, month, day)
    except ValueError:
        return False
    return True


JWT = Shape("JWT", _JWT)
EMAIL = Shape("e-mail address", _EMAIL, lambda match: not _HARMLESS_DOMAIN.search(match[1]))
PHONE = Shape("phone number", _PHONE)
NATIONAL_ID = Shape("national id", _NATIONAL_ID, lambda match: is_national_id(match[0]))
SHAPES = (JWT, EMAIL, PHONE, NATIONAL_ID)
