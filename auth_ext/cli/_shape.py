"""
What an operation takes, read from the generated code: parameters, body, members, types.

Types are the annotations themselves; the functions here read them.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum
from functools import cache
from importlib import import_module
from types import ModuleType, NoneType, SimpleNamespace, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import attrs

import generated_client
from auth_ext.cli._problem import folded
from generated_client import models, types
from generated_client.operations import Operation

Type = Any  # an annotation: there is no narrower type for what these can be


@attrs.frozen
class Member:
    """
    A parameter, or a member of a model.

    Attributes:
        name: As it goes over the wire.

        python: As the generated code calls it.

        type: Its annotation.

        required: Whether it must be given.
    """

    name: str
    python: str
    type: Type
    required: bool


@attrs.frozen
class Shape:
    """
    What an operation takes.

    Attributes:
        operation: Its row in the table.

        module: Its generated module.

        parameters: By wire name, in the order of the generated signature.

        body: None where it takes none.
    """

    operation: Operation
    module: ModuleType
    parameters: Mapping[str, Member]
    body: Member | None

    @property
    def is_download(self) -> bool:
        """
        Whether the answer is a file.
        """
        return hasattr(self.module, "download")


@cache
def shape_of(operation: Operation) -> Shape:
    """
    The shape of *operation*.
    """
    module = import_module(f"generated_client.api.{operation.tag}.{operation.module}")
    hints = _hints(module.sync)
    given = {
        name: Member(name, name, hints[name], parameter.default is inspect.Parameter.empty)
        for name, parameter in inspect.signature(module.sync).parameters.items()
        if name != "client"
    }
    body = given.pop("body", None)
    names = _wire_names(operation, module, given)
    parameters = [
        attrs.evolve(one, name=names.get(one.python, one.python)) for one in given.values()
    ]
    return Shape(operation, module, {one.name: one for one in parameters}, body)


def _wire_names(
    operation: Operation, module: ModuleType, parameters: Mapping[str, Member]
) -> dict[str, str]:
    """
    Wire names of parameters by their Python names, seen by building a request with marks in it.
    """
    marks = {f"mark-{number}": name for number, name in enumerate(parameters)}
    values: dict[str, Any] = {name: mark for mark, name in marks.items()}
    if "body" in inspect.signature(module._get_kwargs).parameters:
        values["body"] = SimpleNamespace(to_multipart=list, to_dict=dict)
    request = module._get_kwargs(**values)
    sent = {**request.get("params", {}), **request.get("headers", {})}
    names = {marks[mark]: name for name, mark in sent.items() if mark in marks}
    in_path = {folded(name): name for name in re.findall(r"{([^{}]+)}", operation.path)}
    for python in parameters:
        if python not in names and folded(python) in in_path:
            names[python] = in_path[folded(python)]
    return names


def members_of(model: type[types.Model]) -> Mapping[str, Member]:
    """
    The members of a model by their wire names.
    """
    key: Any = model  # a class can be hashed, though its instances cannot
    return _members_of(key)


@cache
def _members_of(model: Any) -> Mapping[str, Member]:
    hints = _hints(model)
    parameters = inspect.signature(model).parameters
    members = [
        Member(
            _wire_name(model, python),
            python,
            hints[python],
            parameters[python].default is inspect.Parameter.empty,
        )
        for python in parameters
    ]
    return {one.name: one for one in members}


def _wire_name(model: type[types.Model], python: str) -> str:
    """
    What a member is called in JSON: the only name there when nothing else is set.
    """
    alone = object.__new__(model)
    for name in model.__slots__:
        setattr(alone, name, types.UNSET)
    alone.additional_properties = {}
    setattr(alone, python, None)
    return next(iter(alone.to_dict()))


def further_members(model: type[types.Model]) -> Type | None:
    """
    The type of members that the document does not name; None where there should be none.

    The generator lets every model have such members. They are meant where they have a type, or
    where a model has no other.
    """
    more = value_of(_hints(model)["_more"])
    return more if more is not Any or not members_of(model) else None


def _hints(thing: Callable[..., Any] | type) -> dict[str, Type]:
    """
    The annotations of a generated function or model, which are strings there.
    """
    annotations = thing.__annotations__
    words = set(re.findall(r"[A-Za-z_]\w*", " ".join(map(str, annotations.values()))))
    places = (models, types, generated_client)
    names = {
        word: getattr(place, word)
        for place in reversed(places)
        for word in words
        if hasattr(place, word)
    }
    import datetime as datetime_module

    return get_type_hints(thing, localns={**names, "datetime": datetime_module, "UUID": UUID})


def alternatives(of: Type) -> tuple[Type, ...]:
    """
    The types that a value may have, without "not given" and null.
    """
    several = get_args(of) if _origin(of) in (Union, UnionType) else (of,)
    return tuple(one for one in several if one not in (types.Unset, NoneType))


def may_be_null(of: Type) -> bool:
    """
    Whether null is among the values.
    """
    return of is Any or NoneType in get_args(of)


def item_of(of: Type) -> Type | None:
    """
    The type of the items where *of* is a list.
    """
    return next((get_args(one)[0] for one in alternatives(of) if _origin(one) is list), None)


def value_of(of: Type) -> Type | None:
    """
    The type of the values where *of* is an object with names of any kind.
    """
    return next((get_args(one)[1] for one in alternatives(of) if _origin(one) is dict), None)


def model_of(of: Type) -> type[types.Model] | None:
    """
    The model where *of* is one.
    """
    return next((one for one in alternatives(of) if is_kind(one, types.Model)), None)


def _origin(of: Type) -> Any:
    return get_origin(of)


def is_kind(one: Type, kind: type) -> bool:
    """
    Whether the type *one* is a *kind*.
    """
    return isinstance(one, type) and issubclass(one, kind)


def is_file(of: Type) -> bool:
    """
    Whether *of* is a file.
    """
    return types.File in alternatives(of)


def described(of: Type) -> str:
    """
    What a value of that type is, in words.
    """
    return " or ".join(map(_described, alternatives(of))) or "nothing"


_WORDS: Mapping[Type, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    UUID: "a UUID such as 0c5e1f8a-3f0e-4c55-9f0b-2f6f0c6e7a11",
    datetime: "a date and time such as 2026-11-24T12:00:00Z",
    date: "a date such as 2026-11-24",
    types.File: "a file (@PATH)",
    Any: "anything",
}


def _described(one: Type) -> str:
    if one in _WORDS:
        return _WORDS[one]
    if _origin(one) is list:
        item = get_args(one)[0]
        model = model_of(item)
        what = f" of objects ({model.__name__})" if model else f", each item {described(item)}"
        return f"a list{what}"
    if _origin(one) is dict:
        return f"an object, each value {described(get_args(one)[1])}"
    if is_kind(one, Enum):
        accepted = [str(member.value) for member in one]
        return accepted[0] if len(accepted) == 1 else f"one of {', '.join(accepted)}"
    if is_kind(one, types.Model):
        return f"an object ({one.__name__})"
    return str(getattr(one, "__name__", one))
