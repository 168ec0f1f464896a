"""
What a cassette should not hold: a scan that trusts nothing that scrubbing says.
"""

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs

from auth_ext.testing._names import (
    ACCOUNT_HEADERS,
    DROPPED_HEADERS,
    INNER,
    is_of_a_person,
    kind_of,
    plain,
)
from auth_ext.testing._origin import is_local
from auth_ext.testing._patterns import SHAPES
from auth_ext.testing._placeholders import is_placeholder

_HEADER = re.compile(r"\b(Basic|Bearer)\s+([\w+/=.~-]{8,})")
_URL = re.compile(r"https?://[^\s\"'<>\\]+")
_OPAQUE = re.compile(r"[\w-]{32,200}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEX_OR_UUID = re.compile(r"[0-9a-fA-F-]+")


@attrs.frozen
class Leak:
    """
    One thing that a cassette should not hold. It never quotes it.

    Attributes:
        path: The cassette.

        interaction: Which request and answer, from 1.

        where: Which part of it, such as `answer body: signers.0.email`.

        kind: What it looks like.
    """

    path: Path
    interaction: int
    where: str
    kind: str

    def __str__(self) -> str:
        return f"{self.path}: interaction {self.interaction}: {self.where}: {self.kind}"


def leaks(*places: str | Path, secrets: Iterable[str] = ()) -> list[Leak]:
    """
    What should not be in the cassettes at these places, and is.

    Args:
        places: Cassettes, or folders that are searched for them.

        secrets: Texts that must be nowhere, besides what looks like a secret or personal data.

    Raises:
        ValueError: There is no cassette at one of the places: a scan of nothing proves nothing.
    """
    known = tuple(filter(None, secrets))
    return [leak for place in places for path in cassettes(place) for leak in _of(path, known)]


def cassettes(place: str | Path) -> list[Path]:
    """
    The cassettes at a place, sorted.

    Raises:
        ValueError: There are none.
    """
    place = Path(place)
    paths = sorted(place.rglob("*")) if place.is_dir() else [place]
    found = [path for path in paths if _interactions(path) is not None]
    if not found:
        raise ValueError(f"{place} has no cassettes")
    return found


def _interactions(path: Path) -> list[Any] | None:
    if path.suffix not in {".json", ".yaml", ".yml"} or not path.is_file():
        return None
    import yaml

    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_loader())  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    found = data.get("interactions") if isinstance(data, dict) else None
    return found if isinstance(found, list) else None


def _loader() -> Any:
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _of(path: Path, secrets: tuple[str, ...]) -> Iterator[Leak]:
    for number, interaction in enumerate(_interactions(path) or (), 1):
        for where, kind in dict.fromkeys(_Look(secrets).at(interaction)):
            yield Leak(path, number, where, kind)


Found = Iterator[tuple[str, str]]


@attrs.frozen
class _Look:
    secrets: tuple[str, ...]

    def at(self, interaction: dict[str, Any]) -> Found:
        request, answer = interaction["request"], interaction["response"]
        yield from self._uri(request["uri"])
        yield from self._headers("request header", request["headers"])
        yield from self._headers("answer header", answer["headers"])
        yield from self._body("request body", request.get("body"), request["headers"])
        yield from self._body("answer body", answer["body"].get("string"), answer["headers"])

    def _uri(self, uri: str) -> Found:
        yield from self._text("request address", uri)
        for name, value in parse_qsl(urlsplit(uri).query):
            yield from self._member(f"request address: {name}", name, value)

    def _headers(self, place: str, headers: dict[str, list[str]]) -> Found:
        for name, texts in headers.items():
            lower, where = name.lower(), f"{place} {name.lower()}"
            for text in texts if isinstance(texts, list) else [texts]:
                if lower in DROPPED_HEADERS:
                    yield where, "header that must go"
                elif lower == "authorization" and not _is_scrubbed(*text.partition(" ")[::2]):
                    yield where, "credentials"
                elif lower in ACCOUNT_HEADERS and not is_placeholder("account", text):
                    yield where, "account"
                elif lower == "host" and is_local(f"//{text}"):
                    yield where, "address of the machine it was recorded on"
                yield from self._text(where, text)

    def _body(self, where: str, body: Any, headers: dict[str, list[str]]) -> Found:
        raw = body.encode() if isinstance(body, str) else bytes(body or b"")
        opened = _opened(raw)
        if opened is None:
            yield where, "compressed body that cannot be read"
            return
        kind = next((v for k, v in headers.items() if k.lower() == "content-type"), [""])
        if "x-www-form-urlencoded" in str(kind):
            for name, value in parse_qsl(opened.decode("utf-8", "replace")):
                yield from self._member(f"{where}: {name}", name, value)
        yield from self._document(where, opened.decode("utf-8", "surrogateescape"))

    def _document(self, where: str, text: str) -> Found:
        value = _json(text)
        if value is None:
            yield from self._text(where, text)
        else:
            yield from self._value(where, "", value, "")

    def _value(self, where: str, name: str, value: Any, path: str) -> Found:
        if isinstance(value, dict):
            personal = is_of_a_person(value)
            for key, inner in value.items():
                outer = name if plain(key) in INNER and kind_of(name) else key
                is_name = plain(key) == "name" and personal and isinstance(inner, str) and inner
                if is_name and not is_placeholder("name", inner):
                    yield f"{where}: {path}{key}", "name"
                yield from self._value(where, outer, inner, f"{path}{key}.")
        elif isinstance(value, list):
            for place, inner in enumerate(value):
                yield from self._value(where, name, inner, f"{path}{place}.")
        elif isinstance(value, str):
            yield from self._member(f"{where}: {path.rstrip('.')}", name, value)
        elif value is not None and not isinstance(value, bool):
            yield from self._named(f"{where}: {path.rstrip('.')}", name, str(value))

    def _member(self, where: str, name: str, value: str) -> Found:
        yield from self._named(where, name, value)
        if value[:1] in {"{", "["}:
            yield from self._document(where, value)
        else:
            yield from self._text(where, value)

    def _named(self, where: str, name: str, value: str) -> Found:
        kind = kind_of(name)
        if kind and value and not is_placeholder(kind, value) and value.strip("0"):
            yield where, kind

    def _text(self, where: str, text: str) -> Found:
        for shape in SHAPES:
            if any(shape.find(text)):
                yield where, shape.kind
        if any(not _is_scrubbed(match[1], match[2]) for match in _HEADER.finditer(text)):
            yield where, "credentials"
        if any(is_local(url) for url in _URL.findall(text)):
            yield where, "address of the machine it was recorded on"
        if _OPAQUE.fullmatch(text) and _is_random(text):
            yield where, "what looks like a token"
        if any(secret in text for secret in self.secrets):
            yield where, "secret"
        yield from self._base64(where, text)

    def _base64(self, where: str, text: str) -> Found:
        """
        What is in Base64 is looked at too; files are, in this API's JSON.
        """
        if not _BASE64.fullmatch(text):
            return
        decoded = _decoded(text)
        if decoded:
            yield from self._document(
                f"{where} (Base64)", decoded.decode("utf-8", "surrogateescape")
            )


def _is_scrubbed(scheme: str, value: str) -> bool:
    if scheme.lower() == "basic":
        return value == "scrubbed"
    return is_placeholder("token", value)


def _is_random(text: str) -> bool:
    """
    Whether a long word is one that nobody would write: mixed letters and digits, not Base64 text.
    """
    kinds = (str.isupper, str.islower, str.isdigit)
    mixed = all(any(map(kind, text)) for kind in kinds)
    decoded = _decoded(text)
    is_text = decoded is not None and decoded.isascii() and decoded.decode().isprintable()
    return mixed and not is_text and not _HEX_OR_UUID.fullmatch(text)


def _decoded(text: str) -> bytes | None:
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_" if re.search("[-_]", text) else None)
    except binascii.Error:
        return None


def _opened(raw: bytes) -> bytes | None:
    """
    The body without compression; None: it has one that cannot be undone.
    """
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error):
        return None


def _json(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict | list) else None
