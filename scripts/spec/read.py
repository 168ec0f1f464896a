"""
Bytes from a file or a URL, and out of them a document.

JSON or YAML, with or without a byte order mark. YAML is read by the core schema of YAML 1.2:
`on`, `no` and `2018-01-01` are strings, as they are in JSON.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar

import attrs
import httpx
import yaml
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from scripts.spec.errors import DocumentError
from scripts.spec.tree import Json

MAX_BYTES = 32 * 1024 * 1024
"""Larger than any API description seen (GitHub's is 12 MB), small enough to refuse a flood."""
MAX_DEPTH = 100
"""Deeper than any document seen (under 40), shallow enough for every recursive step after this."""
MAX_NODES = 2_000_000
"""Values in the document after YAML aliases are followed: what a bomb multiplies."""


@attrs.frozen(kw_only=True)
class Published:
    """
    A document as its publisher gave it.

    Attributes:
        data: The parsed document.
        stored: Its bytes as `openapi.json` keeps them: JSON, no byte order mark.
        source: The URL it came from; None for a file.
        etag: What the server calls this version of it.
    """

    data: Json
    stored: bytes = attrs.field(repr=False)
    source: str | None = None
    etag: str | None = None


def is_url(source: str) -> bool:
    """Whether *source* is to be fetched rather than opened."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", source) is not None


def read_file(path: Path, *, name: str | None = None) -> Published:
    """
    The document in a file.

    Raises:
        DocumentError: It is missing, too large, or not a document.
    """
    name = name or str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"{name} cannot be read: {error.strerror}. Give the document with --from."
        raise DocumentError(message) from error
    if len(raw) > MAX_BYTES:
        raise DocumentError(_too_large(name))
    return parse(raw, name=name)


def read_url(
    url: str,
    *,
    etag: str | None = None,
    present: Callable[[], Published] | None = None,
    transport: httpx.BaseTransport | None = None,
) -> Published:
    """
    The document behind a URL; *present* when the server says that it is still *etag*.

    Raises:
        DocumentError: The URL is not https (loopback excepted), the server cannot be reached or
            refuses, or what it sends is too large or not a document.
    """
    headers = {"Accept": "application/json, application/yaml, */*;q=0.5"}
    if etag and present:
        headers["If-None-Match"] = etag
    try:
        with (
            httpx.Client(
                transport=transport,
                follow_redirects=True,
                timeout=30,
                event_hooks={"request": [_refuse_plain_http]},  # each redirect too
            ) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            if response.status_code == httpx.codes.NOT_MODIFIED and present:
                return attrs.evolve(present(), source=url, etag=etag)
            if not response.is_success:
                message = f"{url} answered {response.status_code} {response.reason_phrase}."
                raise DocumentError(message)
            raw = _body(response, url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DocumentError(f"{url} cannot be fetched: {error or type(error).__name__}.") from error
    return attrs.evolve(parse(raw, name=url), source=url, etag=response.headers.get("etag"))


def _refuse_plain_http(request: httpx.Request) -> None:
    url = request.url
    if not url.host:
        raise DocumentError(f"{url} cannot be fetched: it names no host.")
    if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(url.host)):
        message = f"{url} is not https: only a loopback address may be fetched without it."
        raise DocumentError(message)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _body(response: httpx.Response, url: str) -> bytes:
    """The body, with a bar on a terminal; never more than the cap is held."""
    total = int(response.headers.get("content-length", "0")) or None
    body = bytearray()
    columns = (TextColumn("  fetching"), BarColumn(), DownloadColumn())
    console = Console(file=sys.stderr)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("fetching", total=total)
        for chunk in response.iter_bytes():
            body += chunk
            bar.update(task, completed=len(body))
            if len(body) > MAX_BYTES:
                raise DocumentError(_too_large(url))
    return bytes(body)


def _too_large(name: str) -> str:
    return f"{name} is larger than {MAX_BYTES // 1024 // 1024} MiB: no API description is."


def parse(raw: bytes, *, name: str) -> Published:
    """
    The document in *raw*.

    Raises:
        DocumentError: It is not text, neither JSON nor YAML, or not an OpenAPI document.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"{name} is not UTF-8 text (byte {error.start}).") from error
    start = text.lstrip()[:1]
    if not start:
        raise DocumentError(f"{name} is empty.")
    if start == "<":
        raise DocumentError(f"{name} is a web page or XML, not JSON or YAML; check the URL.")
    data = _from_json(text, name) if start in "{[" else _from_yaml(text, name)
    _refuse_shape(data, name)
    if start == "{":
        stored = raw.removeprefix(b"\xef\xbb\xbf")
    else:
        stored = (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()
    _refuse_version(data, name)
    return Published(data=data, stored=stored)


# --- JSON ---


def _from_json(text: str, name: str) -> Json:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        # A YAML document may start with "{" as well; JSON's message is the better one if both fail.
        try:
            return _from_yaml(text, name)
        except DocumentError:
            message = (
                f"{name} is not valid JSON: {error.msg} in line {error.lineno}, "
                f"column {error.colno}. Was the download cut off?"
            )
            raise DocumentError(message) from error
    except RecursionError as error:
        raise DocumentError(_too_deep(name)) from error
    except ValueError as error:
        raise DocumentError(f"{name} is not valid JSON: {error}.") from error


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """An object; a key that comes twice would lose the first value without a word."""
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise ValueError(f"the same key twice in one object ({', '.join(map(repr, twice[:5]))})")
    return result


def _refuse_constant(constant: str) -> Json:
    raise ValueError(f"{constant} is no JSON value")


# --- YAML ---

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where the wheel has it


class _CoreLoader(_Base):  # type: ignore[misc]  # the base is chosen at run time
    """YAML by the core schema of YAML 1.2 (section 10.3.2), with unique keys."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, Json]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key that is not a scalar", key_node.start_mark
                )
            if key_node.value in seen:
                problem = f"the same key twice ({key_node.value!r})"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key_node.value)
        self.flatten_mapping(node)  # a merge key brings more keys, and the node's own win
        # The source text, whatever it looks like: status codes are keys, and so is `null`.
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


def _construct_map(loader: Any, node: yaml.MappingNode) -> Iterator[dict[str, Json]]:
    data: dict[str, Json] = {}
    yield data
    data.update(loader.construct_mapping(node))


def _construct_int(loader: Any, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text, base)


def _construct_float(loader: Any, node: yaml.ScalarNode) -> float:
    text = loader.construct_scalar(node).lower()
    if "inf" in text or "nan" in text:
        raise yaml.constructor.ConstructorError(
            None, None, f"{text} is no JSON value", node.start_mark
        )
    return float(text)


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN"),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", "-+0123456789"),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?(?:\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN)$",
        "-+.0123456789",
    ),
    ("merge", r"^(?:<<)$", "<"),
):
    _CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}",
        re.compile(_pattern),
        [*_first, ""] if _tag == "null" else [*_first],
    )
_CoreLoader.add_constructor("tag:yaml.org,2002:map", _construct_map)
_CoreLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_CoreLoader.add_constructor("tag:yaml.org,2002:float", _construct_float)


def from_yaml(text: str, name: str) -> Json:
    """*text* by the rules that hold for documents; also for our own overlay files."""
    return _from_yaml(text, name)


def _from_yaml(text: str, name: str) -> Json:
    try:
        _refuse_deep_yaml(text, name)
        data = yaml.load(text, Loader=_CoreLoader)  # noqa: S506 - a safe loader, see above
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise DocumentError(f"{name} is not valid YAML: {problem}{place}.") from error
    _refuse_bomb(data, name)
    return data


def _refuse_deep_yaml(text: str, name: str) -> None:
    """The parser's events carry the nesting before anything recursive happens."""
    depth = 0
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise DocumentError(_too_deep(name))


def _refuse_bomb(data: Json, name: str) -> None:
    """Aliases share one object; counting what they stand for needs no memory."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: Json) -> int:
        if not isinstance(node, dict | list):
            return 1
        if id(node) in sizes:
            return sizes[id(node)]
        if id(node) in open_nodes:
            raise DocumentError(f"{name} has a YAML alias that contains itself.")
        open_nodes.add(id(node))
        children = node.values() if isinstance(node, dict) else node
        total = 1 + sum(size(child) for child in children)
        open_nodes.discard(id(node))
        sizes[id(node)] = total
        return total

    if size(data) > MAX_NODES:
        raise DocumentError(
            f"{name} grows beyond {MAX_NODES} values when its aliases are followed."
        )


# --- what any document must be ---


def _too_deep(name: str) -> str:
    return f"{name} is nested more than {MAX_DEPTH} levels deep."


def _refuse_shape(data: Json, name: str) -> None:
    stack: list[tuple[Json, int]] = [(data, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise DocumentError(_too_deep(name))
        if isinstance(node, dict):
            for key, value in node.items():
                _refuse_text(key, name)
                stack.append((value, depth + 1))
        elif isinstance(node, list):
            stack.extend((item, depth + 1) for item in node)
        elif isinstance(node, str):
            _refuse_text(node, name)
        elif isinstance(node, float) and node in (float("inf"), float("-inf")):
            raise DocumentError(f"{name} has a number too large for JSON readers.")


def _refuse_text(text: str, name: str) -> None:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise DocumentError(f"{name} has half a surrogate pair in {text[:40]!a}: not text.")


def _refuse_version(data: Json, name: str) -> None:
    if not isinstance(data, dict) or not ({"openapi", "swagger"} & data.keys()):
        raise DocumentError(f"{name} is not an OpenAPI document: no `openapi` and no `swagger`.")
    version = str(data.get("openapi", data.get("swagger")))
    if not re.match(r"(3\.[01]|2\.0)(\.|$)", version):
        message = f"{name} is OpenAPI {version[:20]!r}; 2.0, 3.0 and 3.1 are supported."
        raise DocumentError(message)
    for member in ("paths", "components", "definitions"):
        if member in data and not isinstance(data[member], dict):
            raise DocumentError(f"{name} is not an OpenAPI document: `{member}` is no object.")
    if not any(
        isinstance(data.get(member), dict) for member in ("paths", "components", "webhooks")
    ):
        raise DocumentError(f"{name} is not an OpenAPI document: no `paths`.")
