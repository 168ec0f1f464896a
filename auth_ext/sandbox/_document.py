"""What the OpenAPI document says: its operations, found by id or by method and path."""

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

Schema = Mapping[str, Any]
METHODS = ("get", "put", "post", "delete", "patch")


@attrs.frozen
class Parameter:
    """One parameter of an operation."""

    name: str
    place: str
    required: bool
    schema: Schema


@attrs.frozen
class Body:
    """What an operation takes: the first media type and its schema."""

    content_type: str
    schema: Schema
    required: bool


@attrs.frozen
class Operation:
    """One operation of the document, references resolved one level deep.

    Attributes:
        scopes: What the first alternative of `security` asks for, in the document's order.
        authenticated: Whether a token is needed at all.
        success: The first 2xx status.
        content: Media type -> schema of the success answer; empty when it has no body.
        statuses: Every status the document names.
    """

    id: str
    tag: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    scopes: tuple[str, ...]
    authenticated: bool
    success: int
    content: Mapping[str, Schema]
    statuses: frozenset[int]


class Document:
    """An OpenAPI document, read once."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.operations: dict[str, Operation] = {one.id: one for one in self._read()}
        self._routes: dict[int, list[tuple[list[str], Operation]]] = {}
        for operation in self.operations.values():
            parts = operation.path.strip("/").split("/")
            self._routes.setdefault(len(parts), []).append((parts, operation))

    def resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """*node*, or what it refers to."""
        while "$ref" in node:
            target: Any = self.data
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def schema(self, name: str) -> Schema:
        """The named schema.

        Raises:
            KeyError: There is none of that name.
        """
        found: Schema = self.data["components"]["schemas"][name]
        return found

    @property
    def scopes(self) -> frozenset[str]:
        """Every scope that the document's OAuth 2.0 schemes or operations name."""
        named = {scope for operation in self.operations.values() for scope in operation.scopes}
        for scheme in self.data["components"].get("securitySchemes", {}).values():
            for flow in scheme.get("flows", {}).values():
                named.update(flow.get("scopes", {}))
        return frozenset(named)

    def match(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation for a request, with its path parameters; None when there is none."""
        for operation, values in self._matches(path):
            if operation.method == method:
                return operation, values
        return None

    def allowed(self, path: str) -> frozenset[str]:
        """The methods that some operation has on *path*."""
        return frozenset(operation.method for operation, _ in self._matches(path))

    def _matches(self, path: str) -> list[tuple[Operation, dict[str, str]]]:
        """The operations of the path that fits best: OpenAPI puts literal paths first."""
        wanted = path.removeprefix("/").split("/")
        found = []
        for parts, operation in self._routes.get(len(wanted), []):
            values = _fit(parts, wanted)
            if values is not None:
                found.append((operation, values))
        fewest = min((len(values) for _, values in found), default=0)
        return [item for item in found if len(item[1]) == fewest]

    def _read(self) -> Iterator[Operation]:
        for path, item in self.data["paths"].items():
            shared = item.get("parameters", [])
            for method in METHODS:
                if method in item:
                    yield self._operation(path, method, item[method], shared)

    def _operation(
        self, path: str, method: str, node: dict[str, Any], shared: list[dict[str, Any]]
    ) -> Operation:
        security = node.get("security", self.data.get("security", []))
        success, content = self._success(node["responses"])
        return Operation(
            id=node["operationId"],
            tag=(node.get("tags") or [""])[0],
            method=method.upper(),
            path=path,
            parameters=tuple(self._parameter(p) for p in [*shared, *node.get("parameters", [])]),
            body=self._body(node.get("requestBody")),
            scopes=tuple(scope for wanted in security[:1] for s in wanted.values() for scope in s),
            authenticated=bool(security) and all(security),
            success=success,
            content=content,
            statuses=frozenset(int(status) for status in node["responses"] if status.isdigit()),
        )

    def _parameter(self, node: dict[str, Any]) -> Parameter:
        found = self.resolve(node)
        return Parameter(
            name=found["name"],
            place=found["in"],
            required=found.get("required", False),
            schema=found["schema"],
        )

    def _body(self, node: dict[str, Any] | None) -> Body | None:
        if node is None:
            return None
        found = self.resolve(node)
        content_type, media = next(iter(found["content"].items()))
        return Body(content_type, media.get("schema", {}), found.get("required", False))

    def _success(self, responses: dict[str, Any]) -> tuple[int, dict[str, Schema]]:
        """The last 2xx: where a document lists 200 and 201, it creates something."""
        status = max(status for status in responses if status.startswith("2"))
        content = self.resolve(responses[status]).get("content", {})
        return int(status), {name: media.get("schema", {}) for name, media in content.items()}


def load_document(path: str | Path | None = None) -> Document:
    """The document at *path*; None: the one this package was built with.

    In a wheel it lies beside this module, in a checkout at the top.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no OpenAPI 3 document in JSON.
    """
    if path is None:
        packed = Path(__file__).with_name("openapi.json")
        path = packed if packed.exists() else Path(__file__).parents[2] / "openapi.json"
    path = Path(path)
    return _load(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _load(path: Path, _changed: int) -> Document:
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as exc:
        raise ValueError(f"{path} is not JSON: {exc}") from exc
    if not isinstance(data, dict) or not str(data.get("openapi")).startswith("3."):
        raise ValueError(f"{path} is not an OpenAPI 3 document.")
    try:
        return Document(data)
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"{path} is not a sound OpenAPI document: {exc!r}") from exc


def _fit(parts: list[str], wanted: list[str]) -> dict[str, str] | None:
    values = {}
    for part, given in zip(parts, wanted, strict=True):
        if part.startswith("{") and part.endswith("}"):
            if not given:
                return None
            # The server decodes all of a path but slashes, which would look like new parts.
            values[part[1:-1]] = given.replace("%2F", "/")
        elif part != given:
            return None
    return values
