"""
Calls any generated operation with values made from the document, typed as its signature says.
"""

import asyncio
import datetime
import inspect
import io
import re
import uuid
from enum import Enum
from importlib import import_module
from types import ModuleType
from typing import Any

from auth_ext import SignicatClient
from auth_ext.sandbox import examples
from generated_client import models, types
from generated_client.operations import OPERATIONS


def module_of(operation: str) -> ModuleType:
    """
    The generated module of an operation.
    """
    row = OPERATIONS[operation]
    return import_module(f"generated_client.api.{row.tag}.{row.module}")


def arguments_for(operation: str) -> dict[str, Any]:
    """
    Arguments of the operation's functions, all optional ones included.
    """
    example = examples.request(operation)
    by_python_name = {python_name(name): value for name, value in example.parameters.items()}
    arguments = {}
    for name, parameter in inspect.signature(module_of(operation).sync).parameters.items():
        if name == "body":
            arguments[name] = _body(parameter.annotation, example)
        elif name != "client":
            arguments[name] = _typed(parameter.annotation, by_python_name[name.rstrip("_")])
    return arguments


def call(client: SignicatClient, operation: str, *, asynchronous: bool) -> Any:
    """
    What the operation's `sync` or `asyncio` returns.
    """
    module, arguments = module_of(operation), arguments_for(operation)
    if not asynchronous:
        return module.sync(client=client, **arguments)

    async def run() -> Any:
        async with client:
            return await module.asyncio(client=client, **arguments)

    return asyncio.run(run())


def python_name(name: str) -> str:
    """
    The name of a parameter in the generated code.
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def _body(annotation: str, example: examples.ExampleRequest) -> Any:
    if example.files:
        file_name, content, mime_type = example.files["file"]
        file = types.File(io.BytesIO(content), file_name, mime_type)
        return getattr(models, annotation)(file=file)
    model = getattr(models, annotation.split(" | ", maxsplit=1)[0], None)
    return example.json if model is None else model.from_dict(example.json)


def _typed(annotation: str, value: Any) -> Any:
    kind = annotation.split(" | ", maxsplit=1)[0]
    if kind == "UUID":
        return uuid.UUID(value)
    if kind == "datetime.datetime":
        return datetime.datetime.fromisoformat(value)
    model = getattr(models, kind, None) if kind.isidentifier() else None
    return model(value) if isinstance(model, type) and issubclass(model, Enum) else value
