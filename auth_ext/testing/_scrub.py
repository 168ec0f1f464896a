"""
A whole cassette in, the same without secrets and personal data out. No I/O.

It works on the cassette as a whole, for a secret learnt from one request may be echoed by the
answer to another.
"""

import base64
import binascii
import copy
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus, urlencode, urlsplit, urlunsplit

import attrs

from auth_ext.testing._names import (
    ACCOUNT_HEADERS,
    DROPPED_HEADERS,
    INNER,
    is_of_a_person,
    kind_of,
    plain,
)
from auth_ext.testing._origin import Whose
from auth_ext.testing._patterns import EMAIL, JWT, NATIONAL_ID, PHONE
from auth_ext.testing._placeholders import Placeholders, constant

Answer = dict[str, Any]
Put = Callable[[str, str], str]

# Shorter values would be found in the midst of innocent words.
SHORTEST_LITERAL = 8
_SHAPES = ((JWT, "token"), (EMAIL, "e-mail"), (PHONE, "phone"), (NATIONAL_ID, "national-id"))
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SECONDS = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d):\d\d(?:\.\d+)?")
_PDF_SECONDS = re.compile(r"(\(D:\d{12})\d\d")
_PASSING_HEADERS = frozenset({"accept-encoding", "connection", "date", "server", "user-agent"})


class Request(Protocol):
    """
    A request as vcrpy keeps it.
    """

    method: str
    uri: str
    body: Any
    headers: Any


@attrs.define
class Scrubber:
    """
    Scrubs one cassette.

    Args:
        whose: Which requests are to be scrubbed at all.

        secrets: What must not be seen, wherever it turns up: value to kind.

        steady: Whether ids and moments are replaced too, so that recording again gives the same
            bytes. Not for cassettes whose tests name the ids of a real account.
    """

    whose: Whose
    secrets: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    steady: bool = False
    _put: Placeholders = attrs.field(factory=Placeholders, init=False, repr=False)
    _ids: dict[str, str] = attrs.field(factory=dict, init=False, repr=False)

    def scrub(
        self, requests: Iterable[Request], answers: Iterable[Answer]
    ) -> tuple[list[Request], list[Answer]]:
        """
        Scrubbed requests and answers; the given ones stay as they are.
        """
        from vcr.filters import decode_response  # type: ignore[import-untyped]

        pairs = [
            (copy.deepcopy(one), copy.deepcopy(other))
            for one, other in zip(requests, answers, strict=True)
        ]
        for request, answer in pairs:
            if self.whose.is_ours(request):
                # A body in gzip could not be read.
                answer.update(decode_response(answer))
                self._learn(request, answer)
        tokens = self._put.known("token")
        for request, answer in pairs:
            # Our tokens are ours on any client's request, to whatever address.
            if self.whose.is_ours(request) or _authorization(request)[2] in tokens:
                answer.update(decode_response(answer))
                self._request(request)
                self._answer(answer)
        return [request for request, _ in pairs], [answer for _, answer in pairs]

    # What must not be seen

    def _learn(self, request: Request, answer: Answer) -> None:
        for value, kind in self.secrets.items():
            self._put.put(kind, value)
        scheme, _, value = _authorization(request)
        if scheme.lower() == "basic":
            for kind, part in zip(("client-id", "secret"), _basic(value), strict=False):
                self._put.put(kind, part)
            self._put.put("secret", value)  # a server may echo the header itself
        elif value:
            self._put.put("token", value)
        if _is_form(request):
            for name, value in parse_qsl(_text(request.body)):
                self._learn_member(name, value)
        for body in (request.body, answer["body"]["string"]):
            _walk(_json(body), self._learn_member)

    def _learn_member(self, name: str, value: str) -> str:
        kind = kind_of(name)
        if kind in {"token", "secret", "client-id"}:
            self._put.put(kind, value)
        return value

    # Requests and answers

    def _request(self, request: Request) -> None:
        scheme, _, value = _authorization(request)
        headers = self._headers({name: [text] for name, text in request.headers.items()})
        request.headers = {name: texts[0] for name, texts in headers.items()}
        if scheme:
            put = "scrubbed" if scheme.lower() == "basic" else self._put.put("token", value)
            _set(request.headers, "authorization", f"{scheme} {put}")
        request.uri = self._any_text(with_constants(self.whose.rewritten(request.uri)))
        _set(request.headers, "host", urlsplit(request.uri).netloc)
        if request.body is not None:
            body = _text(request.body)
            request.body = self._form(body) if _is_form(request) else self._body(request.body)
            _set(request.headers, "content-length", str(len(request.body)))

    def _answer(self, answer: Answer) -> None:
        answer["headers"] = self._headers(answer["headers"])
        answer["body"]["string"] = body = self._body(answer["body"]["string"])
        _set(answer["headers"], "content-length", [str(len(body))])

    def _headers(self, headers: Mapping[str, list[str]]) -> dict[str, list[str]]:
        kept = {}
        for name, texts in headers.items():
            lower = name.lower()
            if lower in DROPPED_HEADERS or (self.steady and lower in _PASSING_HEADERS):
                continue
            put = self._account if lower in ACCOUNT_HEADERS else self._any_text
            kept[name] = [put(text) for text in texts]
        return kept

    def _account(self, text: str) -> str:
        return self._put.put("account", text)

    def _form(self, text: str) -> bytes:
        pairs = [(name, self._member(name, value)) for name, value in parse_qsl(text)]
        return self._literal(urlencode(pairs)).encode()

    def _body(self, body: bytes | str) -> bytes:
        value = _json(body)
        if value is not None:
            walked = _walk(value, self._member)
            return body_of(walked) if walked != value else self._binary(body)
        return self._binary(body)

    def _binary(self, body: bytes | str) -> bytes:
        """
        A body that is no JSON, or has nothing in it: only known secrets and shapes are replaced.
        """
        raw = body.encode() if isinstance(body, str) else bytes(body)
        try:
            return self._any_text(raw.decode()).encode()
        except UnicodeDecodeError:
            # Byte by byte, so that what is not text stays what it was.
            return self._literal(raw.decode("latin-1")).encode("latin-1")

    # Values

    def _member(self, name: str, value: str) -> str:
        """
        The value of a member; *name* is empty where only its looks tell.
        """
        kind = "name" if name == "name" else kind_of(name)
        if kind is not None:
            return self._put.put(kind, value)
        return self._inside(value)

    def _inside(self, value: str) -> str:
        """
        A text, which may be a JSON document of its own.
        """
        inner = _json(value) if value[:1] in {"{", "["} else None
        if inner is not None:
            walked = _walk(inner, self._member)
            return body_of(walked).decode() if walked != inner else value
        return self._any_text(value)

    def _any_text(self, text: str) -> str:
        text = self._literal(text)
        for shape, kind in _SHAPES:
            text = shape.replace(text, lambda found, kind=kind: self._put.put(kind, found))  # type: ignore[misc]
        return text

    def _literal(self, text: str) -> str:
        known = self._put.known("token", "secret", "client-id")
        for value in sorted(known, key=len, reverse=True):
            if len(value) >= SHORTEST_LITERAL:
                for form, put in _forms(value, known[value]):
                    text = text.replace(form, put)
        for address, put in self.whose.addresses.items():
            text = text.replace(address, put)
        return self._steadied(text) if self.steady else text

    def _steadied(self, text: str) -> str:
        text = _UUID.sub(lambda match: self._id(match[0].lower()), text)
        text = _SECONDS.sub(r"\g<1>:00", text)
        return _PDF_SECONDS.sub(r"\g<1>00", text)

    def _id(self, value: str) -> str:
        if value.startswith("00000000-"):
            return value
        return self._ids.setdefault(value, f"00000000-0000-4000-8000-{len(self._ids) + 1:012d}")


def with_constants(uri: str) -> str:
    """
    *uri* with personal data in its query replaced, by constants: requests are matched by it.
    """
    parts = urlsplit(uri)
    if not any(kind_of(name) for name, _ in parse_qsl(parts.query)):
        return uri
    pairs = [
        (name, constant(kind, value) if (kind := kind_of(name)) else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return urlunsplit(parts._replace(query=urlencode(pairs)))


def body_of(value: Any) -> bytes:
    """
    *value* as compact JSON.
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _walk(value: Any, member: Put, name: str = "") -> Any:
    """
    *value* with every text in it replaced by what *member* gives for its name and itself.
    """
    if isinstance(value, dict):
        personal = is_of_a_person(value)
        return {
            key: _walk(inner, member, _inner_name(key, name, personal=personal))
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_walk(inner, member, name) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return member(name, value)
    return _number(value, member, name)


def _number(value: float, member: Put, name: str) -> Any:
    """
    Numbers are replaced only where the name tells, and stay numbers.
    """
    if kind_of(name) is None:
        return value
    digits = re.sub(r"\D", "", member(name, str(value)))
    return type(value)(digits or 0)


def _inner_name(key: str, outer: str, *, personal: bool) -> str:
    """
    The name that tells what lies under *key*: its own, or that of the thing it is part of.
    """
    if plain(key) in INNER and kind_of(outer):
        return outer
    if plain(key) == "name":
        return "name" if personal else ""
    return key


def _json(body: Any) -> Any:
    """
    The object or list that *body* is; None: it is none.
    """
    if not isinstance(body, bytes | str) or not body:
        return None
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict | list) else None


def _text(body: Any) -> str:
    return body if isinstance(body, str) else bytes(body or b"").decode("utf-8", "replace")


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type") or ""
    return kind.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def _authorization(request: Request) -> tuple[str, str, str]:
    return (request.headers.get("authorization") or "").partition(" ")


def _basic(value: str) -> tuple[str, ...]:
    """
    Id and secret as they are before RFC 6749 section 2.3.1 encodes them, and as they are after.
    """
    try:
        decoded = base64.b64decode(value).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ()
    name, _, secret = decoded.partition(":")
    return unquote_plus(name), unquote_plus(secret)


def _forms(value: str, put: str) -> list[tuple[str, str]]:
    """
    The ways in which a secret may be written, each with its placeholder written the same way.
    """
    encoded = base64.b64encode(value.encode()).decode()
    forms = [
        (value, put),
        (json.dumps(value)[1:-1], put),
        (quote_plus(value), put),
        (quote(value, safe=""), put),
        (encoded, base64.b64encode(put.encode()).decode()),
    ]
    return list(dict.fromkeys(forms))


def _set(headers: Any, name: str, value: Any) -> None:
    """
    Change a header that is there, however it is spelt.
    """
    for spelt in list(headers):
        if spelt.lower() == name:
            headers[spelt] = value
