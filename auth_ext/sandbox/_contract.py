"""Requests and answers held against the document, by openapi-core."""

import copy
import functools
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
from flask import Request, Response
from jsonschema.exceptions import ValidationError
from openapi_core import Config, OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue

from auth_ext.sandbox._document import METHODS, Document

MESSAGE_LIMIT = 300
FILES = ("application/pdf", "application/xml", "application/octet-stream")


@attrs.frozen
class Problem:
    """Where something differs from the document, and how.

    Attributes:
        field: The parameter's name or the path into the body, dotted; empty: the whole.
    """

    field: str
    message: str


class Contract:
    """The document as a judge. May be asked from any thread."""

    def __init__(self, document: Document) -> None:
        config = Config(
            # The repository's own tests validate the document; here that would cost seconds.
            spec_validator_cls=None,  # type: ignore[arg-type] # its check allows None
            extra_media_type_deserializers=dict.fromkeys(FILES, _characters),
        )
        self._openapi = OpenAPI.from_dict(_judged(document.data), config)
        # openapi-core builds its validators on first use and does not promise thread safety.
        self._lock = threading.Lock()

    def request_problems(self, request: Request) -> list[Problem]:
        """What is wrong with a request; empty: nothing."""
        with self._lock:
            asked = WerkzeugOpenAPIRequest(request)
            return list(_problems(self._openapi.iter_request_errors(asked)))

    def answer_problems(self, request: Request, answer: Response) -> list[Problem]:
        """What is wrong with an answer to that request; empty: nothing."""
        with self._lock:
            asked = WerkzeugOpenAPIRequest(request)
            answered = WerkzeugOpenAPIResponse(answer)
            return list(_problems(self._openapi.iter_response_errors(asked, answered)))


@functools.lru_cache(maxsize=4)
def contract(document: Document) -> Contract:
    """The contract of a document; built once, for it learns its schemas as it goes."""
    return Contract(document)


def _judged(data: dict[str, Any]) -> dict[str, Any]:
    """The document for validation: served from here, tokens judged elsewhere (Authlib)."""
    judged = {**data, "servers": [{"url": "/"}], "paths": copy.deepcopy(data["paths"])}
    judged.pop("security", None)
    for item in judged["paths"].values():
        for method in METHODS:
            item.get(method, {}).pop("security", None)
    return judged


def _characters(content: bytes, **_parameters: str) -> str:
    """A file as the text that the document takes it for (`type: string, format: binary`)."""
    return content.decode("latin-1")


def _problems(errors: Iterable[Exception]) -> Iterator[Problem]:
    for error in errors:
        cause = error.__cause__
        name = getattr(error, "name", "")
        if isinstance(cause, InvalidSchemaValue):
            for found in cause.schema_errors:
                yield Problem(_field(name, found), _shorten(getattr(found, "message", str(found))))
        else:
            yield Problem(name, _shorten(str(cause or error)))


def _field(name: str, error: Exception) -> str:
    path: list[object] = []
    if isinstance(error, ValidationError):
        path.extend(error.absolute_path)
        if error.validator == "required":
            # jsonschema says it of the object; who sent it wants to know which member.
            wanted: Any = error.validator_value
            given: Any = error.instance
            path.extend([key for key in wanted if key not in given][:1])
    return ".".join(str(part) for part in [name, *path] if part != "")


def _shorten(text: str) -> str:
    return text if len(text) <= MESSAGE_LIMIT else f"{text[:MESSAGE_LIMIT]}..."
