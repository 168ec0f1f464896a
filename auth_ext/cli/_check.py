"""
Values held against the document's types, before anything is sent.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from auth_ext.cli._problem import did_you_mean
from auth_ext.cli._shape import (
    Type,
    alternatives,
    described,
    further_members,
    is_kind,
    item_of,
    may_be_null,
    members_of,
    model_of,
    value_of,
)
from generated_client import types

MAX_SHOWN = 40


def complaints(value: Any, of: Type, where: str) -> Iterator[str]:
    """
    What is wrong with a JSON value that should be *of* that type; nothing when all is well.

    Args:
        value: Decoded JSON; a `File` may stand for a file.

        of: The annotation.

        where: Where the value stands, as people would write it: `signers[0].redirectSettings`.
    """
    if value is None:
        if not may_be_null(of):
            yield f"{where} is null; it must be {described(of)}, or be left out"
        return
    kinds = alternatives(of)
    if Any in kinds or any(_fits(value, one) for one in kinds):
        return
    model, item, values = model_of(of), item_of(of), value_of(of)
    if isinstance(value, dict) and model is not None:
        yield from _of_model(value, model, where)
    elif isinstance(value, dict) and values is not None:
        for name, one in value.items():
            yield from complaints(one, values, f"{where}.{name}")
    elif isinstance(value, list) and item is not None:
        for number, one in enumerate(value):
            yield from complaints(one, item, f"{where}[{number}]")
    else:
        yield f"{where} is {shown(value)}; it must be {described(of)}"


def _of_model(value: Mapping[str, Any], model: type[types.Model], where: str) -> Iterator[str]:
    members, further = members_of(model), further_members(model)
    for name, member in members.items():
        if name in value:
            yield from complaints(value[name], member.type, f"{where}.{name}")
        elif member.required:
            yield f"{where}.{name} is missing; it must be {described(member.type)}"
    for name in value:
        if name in members:
            continue
        if further is None:
            yield f"{where}.{name} is unknown{did_you_mean(name, members)}"
        else:
            yield from complaints(value[name], further, f"{where}.{name}")


def _fits(value: Any, one: Type) -> bool:
    """
    Whether a value that has no parts is of that type.
    """
    if isinstance(value, types.File):
        return bool(one is types.File)
    if isinstance(value, bool):
        return bool(one is bool)
    if isinstance(value, int | float):
        return _number_fits(value, one)
    if isinstance(value, str):
        return _text_fits(value, one)
    return False


def _number_fits(value: float, one: Type) -> bool:
    if is_kind(one, Enum):
        return any(value == member.value for member in one)
    return one is float or (one is int and value == math.floor(value))


def _text_fits(value: str, one: Type) -> bool:
    if is_kind(one, Enum):
        return any(value == member.value for member in one)
    reader = READERS.get(one)
    return one is str or (reader is not None and reader(value) is not None)


def shown(value: Any) -> str:
    """
    A value in a few words. Text may be a secret: long ones are cut.
    """
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _datetime(text: str) -> datetime | None:
    # A day alone is no moment.
    try:
        return datetime.fromisoformat(text) if len(text) > len("2026-11-24") else None
    except ValueError:
        return None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


READERS = {UUID: _uuid, datetime: _datetime, date: _date}
