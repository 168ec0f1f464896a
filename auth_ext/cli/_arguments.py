"""
`name=value` and `--body` turned into what an operation takes.

    name=value    a parameter, or a member of the body (dots lead into objects: a.b=value)
    name=@FILE    the content of a file; for a part that is a file, the file itself
    name=base64@FILE    the content as Base64
"""

import json
import mimetypes
import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self
from uuid import UUID

import attrs

from auth_ext.cli._check import READERS, complaints, shown
from auth_ext.cli._problem import Problem, did_you_mean, folded
from auth_ext.cli._shape import (
    Member,
    Shape,
    Type,
    alternatives,
    described,
    further_members,
    is_file,
    is_kind,
    item_of,
    members_of,
    model_of,
)
from generated_client import types

MOST_COMPLAINTS = 10
_BASE64 = "base64@"


@attrs.frozen
class Call:
    """
    Everything that an operation's generated function is called with; a context manager.

    Attributes:
        parameters: By Python name.

        body: What goes out; `UNSET`: none.

        files: What is read while the body is sent; closed at the end of a `with` block.
    """

    parameters: Mapping[str, Any]
    body: Any
    files: Sequence[types.File] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self.files:
            file.payload.close()

    def arguments(self, shape: Shape) -> dict[str, Any]:
        """
        As keyword arguments.
        """
        return {**self.parameters, **({} if shape.body is None else {"body": self.body})}


def prepared(shape: Shape, given: Sequence[str], body: str | None, *, checked: bool = True) -> Call:
    """
    What the user gave, as the operation takes it.

    Args:
        shape: Of the operation.

        given: The `name=value` arguments.

        body: A file with JSON, or `-` for stdin; None: none.

        checked: Whether the body is held against the document.

    Raises:
        Problem: Something is unknown, missing, given twice or of a wrong type; every such thing
            is named.
    """
    texts: dict[str, list[str]] = {}
    members: list[tuple[str, str]] = []
    for argument in given:
        name, value = _divided(argument)
        parameter = _named(name, shape.parameters)
        if parameter is not None:
            texts.setdefault(parameter.name, []).append(value)
        elif shape.body is not None and model_of(shape.body.type) is not None:
            members.append((name, value))
        else:
            raise Problem(_unknown(name, shape))
    parameters, wrong = _parameters(shape, texts)
    content = _body(shape, body, members)
    if checked and shape.body is not None and content is not types.UNSET:
        wrong += complaints(content, shape.body.type, "body")
    elif shape.body is not None and content is types.UNSET and shape.body.required:
        wrong.append(
            f"the body is missing: give --body FILE, or members as name=value"
            f"{_wanted_members(shape.body)}"
        )
    parts = content.values() if isinstance(content, dict) else [content]
    files = [part for part in parts if isinstance(part, types.File)]
    if wrong:
        Call({}, types.UNSET, files).__exit__(None, None, None)
        raise _problem(shape, wrong)
    return Call(parameters, _as_sent(shape, content), files)


def _problem(shape: Shape, wrong: Sequence[str]) -> Problem:
    more = len(wrong) - MOST_COMPLAINTS
    lines = [*wrong[:MOST_COMPLAINTS], *([f"and {more} more"] if more > 0 else [])]
    name = shape.operation.id
    if len(lines) == 1:
        return Problem(f"{name}: {lines[0]}")
    return Problem(f"{name} cannot be called like that:", *(f"  {line}" for line in lines))


def _divided(argument: str) -> tuple[str, str]:
    name, equals, value = argument.partition("=")
    if not equals or not name:
        raise Problem(f"{argument!r} is not of the form name=value")
    return name, value


def _named(name: str, members: Mapping[str, Member]) -> Member | None:
    """
    The member of that name, in the spelling of the document, of Python or a mixture.
    """
    if name in members:
        return members[name]
    found = [one for one in members.values() if folded(one.name) == folded(name)]
    return found[0] if len(found) == 1 else None


def _unknown(name: str, shape: Shape) -> str:
    if not shape.parameters:
        return f"{shape.operation.id} takes no parameters, so no {name!r} either"
    near = did_you_mean(name, shape.parameters)
    known = near or f"; it takes {', '.join(shape.parameters)}"
    return f"{shape.operation.id} has no parameter {name!r}{known}"


def _parameters(shape: Shape, texts: Mapping[str, list[str]]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for name, parameter in shape.parameters.items():
        if name not in texts:
            if parameter.required:
                wrong.append(f"{name} is missing: give {name}=..., {described(parameter.type)}")
            continue
        try:
            values[parameter.python] = _read(texts[name], parameter.type, name)
        except Problem as problem:
            wrong.extend(problem.lines)
    return values, wrong


def _read(texts: Sequence[str], of: Type, name: str) -> Any:
    """
    The value that the texts given for one name mean.
    """
    item = item_of(of)
    if item is not None and (len(texts) > 1 or not texts[0].startswith("[")):
        return [_read_one(text, item, name) for text in texts]
    if len(texts) > 1:
        raise Problem(f"{name} is given {len(texts)} times")
    return _read_one(texts[0], of, name)


_NOTHING = object()


def _read_one(text: str, of: Type, name: str) -> Any:
    if is_file(of):
        return _file(text, name)
    text = _content(text, name)
    # Text last: everything else is more particular.
    for one in sorted(alternatives(of), key=lambda one: one in (str, Any)):
        value = _value(text, one)
        if value is not _NOTHING:
            return value
    raise Problem(f"{name} is {shown(text)}; it must be {described(of)}")


def _value(text: str, one: Type) -> Any:
    """
    *text* as that type; `_NOTHING` when it is no such thing.
    """
    if one is str:
        return text
    if one is bool:
        return {"true": True, "false": False}.get(text.lower(), _NOTHING)
    if is_kind(one, Enum):
        return next((member for member in one if str(member.value) == text), _NOTHING)
    if one in READERS:
        value: UUID | datetime | date | None = READERS[one](text)
        return _NOTHING if value is None else value
    return _json_value(text, one)


def _json_value(text: str, one: Type) -> Any:
    """
    Numbers, and objects and lists written as JSON.
    """
    try:
        value = _decoded(text)
    except ValueError:
        return text if one is Any else _NOTHING
    if one in (int, float):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return value if number and (one is float or isinstance(value, int)) else _NOTHING
    wanted = list if item_of(one) is not None else dict
    return value if one is Any or isinstance(value, wanted) else _NOTHING


def _content(text: str, name: str) -> str:
    """
    *text* itself, or that of the file it names after an @.
    """
    if text.startswith(_BASE64):
        return b64encode(_bytes_of(text.removeprefix(_BASE64), name)).decode("ascii")
    if not text.startswith("@"):
        return text
    try:
        return _bytes_of(text[1:], name).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Problem(
            f"{name}: {text[1:]} is not UTF-8 text; for the Base64 of a file write"
            f" {name}={_BASE64}{text[1:]}"
        ) from None


def _bytes_of(path: str, name: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise Problem(f"{name}: {path!r} cannot be read: {error.strerror}") from None


def _file(text: str, name: str) -> types.File:
    if not text.startswith("@"):
        raise Problem(f"{name} is a file: write {name}=@PATH")
    path = Path(text[1:]).expanduser()
    return types.File(
        payload=_opened(path, name),
        file_name=path.name,
        mime_type=mimetypes.guess_type(path.name)[0],
    )


def _opened(path: Path, name: str) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise Problem(f"{name}: {str(path)!r} cannot be read: {error.strerror}") from None


# The body


def _body(shape: Shape, source: str | None, members: Sequence[tuple[str, str]]) -> Any:
    """
    The body as decoded JSON, a `File`, or `UNSET`.
    """
    if source is None and not members:
        return types.UNSET
    if shape.body is None:
        raise Problem(f"{shape.operation.id} takes no body")
    if is_file(shape.body.type) and source is not None:
        return _file(f"@{source}", "body")
    content = {} if source is None else _json_of(source)
    if not members:
        return content
    if not isinstance(content, dict):
        raise Problem("the body is no object: it cannot have members as name=value")
    for path, texts in _grouped(members).items():
        _put(content, path, texts, shape.body.type)
    return content


def _grouped(members: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for path, text in members:
        grouped.setdefault(path, []).append(text)
    return grouped


def _put(content: dict[str, Any], path: str, texts: Sequence[str], of: Type) -> None:
    """
    Set the member that *path* leads to.
    """
    *parents, last = path.split(".")
    here, place = content, of
    for step in parents:
        name, place = _step(step, place, path)
        here = here.setdefault(name, {})
        if not isinstance(here, dict):
            raise Problem(f"{path}: {step} is no object in the body given")
    name, place = _step(last, place, path)
    here[name] = types.plain(_read(texts, place, path))


def _step(step: str, of: Type, path: str) -> tuple[str, Type]:
    """
    Wire name and type of a member of *of*.
    """
    model = model_of(of)
    if model is None:
        raise Problem(f"{path}: nothing can lie below {described(of)}")
    members, further = members_of(model), further_members(model)
    member = _named(step, members)
    if member is not None:
        return member.name, member.type
    if further is None:
        raise Problem(f"the body has no {path!r}{did_you_mean(step, members)}")
    return step, further


def _json_of(source: str) -> Any:
    where = "stdin" if source == "-" else source
    data = sys.stdin.buffer.read() if source == "-" else _bytes_of(source, "--body")
    try:
        return _decoded(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Problem(f"the body ({where}) is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise Problem(
            f"the body ({where}) is not JSON: line {error.lineno}, column {error.colno}:"
            f" {error.msg}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise Problem(f"the body ({where}) is not JSON: {error}") from None


def _decoded(text: str) -> Any:
    return json.loads(text, parse_constant=_refused)


def _refused(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _wanted_members(body: Member) -> str:
    model = model_of(body.type)
    wanted = [one.name for one in members_of(model).values() if one.required] if model else []
    return f" (needed: {', '.join(wanted)})" if wanted else ""


def _as_sent(shape: Shape, content: Any) -> Any:
    """
    The body as the generated function takes it: JSON as it is, parts as their model.
    """
    model = None if shape.body is None else model_of(shape.body.type)
    if model is None or not hasattr(model, "to_multipart") or content is types.UNSET:
        return content
    return model.from_dict(content)
