"""Requests and answers held against the document, by openapi-core."""

import copy
import functools
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
from flask import Request, Response
from openapi_core import Config, OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from openapi_core.deserializing.styles.exceptions import EmptyQueryParameterValue
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
        # The repository's own tests validate the document; here that would cost seconds. (Any: what
        # openapi-core says of its type depends on which stubs are installed.)
        unchecked: Any = None
        config = Config(
            spec_validator_cls=unchecked,
            extra_media_type_deserializers=dict.fromkeys(FILES, _characters),
        )
        self._document = document
        self._openapi = OpenAPI.from_dict(_judged(document.data), config)
        # openapi-core builds its validators on first use and does not promise thread safety.
        self._lock = threading.Lock()

    def request_problems(self, request: Request) -> list[Problem]:
        """What is wrong with a request; empty: nothing."""
        with self._lock:
            asked = WerkzeugOpenAPIRequest(request)
            try:
                errors = self._openapi.iter_request_errors(asked)
                return list(_problems(one for one in errors if not self._is_fine(request, one)))
            except UnicodeDecodeError as exc:  # openapi-core reads JSON without a net
                return [Problem("", f"The body is not UTF-8: {exc.reason}.")]
            except AssertionError:  # its word for a part without a name, as of a body cut short
                return [Problem("", "The body is not multipart/form-data.")]

    def _is_fine(self, request: Request, error: Exception) -> bool:
        """Whether openapi-core only minds that a text in the query is empty.

        OpenAPI 3.1 has no such rule: what counts is the schema.
        """
        found = self._document.match(request.method, request.path)
        if found is None or not isinstance(error.__cause__, EmptyQueryParameterValue):
            return False
        name = error.__cause__.name
        schema = next(one.schema for one in found[0].parameters if one.name == name)
        return not {"enum", "format", "minLength", "pattern"} & set(schema)

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
                yield _problem(name, found)
        else:
            yield Problem(name, _shorten(str(cause or error)))


def _problem(name: str, found: Any) -> Problem:
    """One of jsonschema's errors, in a parameter of that name or in the body."""
    path = [name, *found.absolute_path] if name else list(found.absolute_path)
    if found.validator == "required":
        # jsonschema says it of the object; who sent it wants to know which member.
        path.extend([key for key in found.validator_value if key not in found.instance][:1])
    return Problem(".".join(map(str, path)), _shorten(found.message))


def _shorten(text: str) -> str:
    return text if len(text) <= MESSAGE_LIMIT else f"{text[:MESSAGE_LIMIT]}..."
