"""
`signicat call`: the request, its answer, and files with a progress bar.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from auth_ext._client import SignicatClient
from auth_ext._operations import lookup
from auth_ext._settings import BASE_URL
from auth_ext.cli._arguments import Call
from auth_ext.cli._output import (
    coloured,
    is_terminal,
    remark,
    say,
    show_answer,
    show_json,
    show_rows,
)
from auth_ext.cli._problem import Problem
from auth_ext.cli._settings import open_client
from auth_ext.cli._shape import Member, Shape, described, members_of, model_of, shape_of
from generated_client.errors import MalformedResponse

Progress = Callable[[int, int | None], None]

STDOUT = "-"


def shape_named(name: str) -> Shape:
    """
    The shape of the operation called *name*.

    Raises:
        ConfigurationError: There is none.
    """
    return shape_of(lookup(name))


def perform(shape: Shape, call: Call, *, output: str | None, scopes: str | None) -> None:
    """
    Send the request, put the answer where it belongs.

    Raises:
        Problem: The answer has nowhere to go.

        httpx.HTTPError: The service refused, or could not be reached.
    """
    target = _target(shape, output)
    with open_client(scopes=scopes, with_credentials=shape.operation.authenticated) as client:
        if shape.is_download:
            _download(shape, call, client, target)
        else:
            _put(_answer(shape, call, client), target)


def _target(shape: Shape, output: str | None) -> Path | None:
    """
    The file that the answer goes to; None: stdout.

    Raises:
        Problem: There is no such place.
    """
    if output is None and shape.is_download and is_terminal(sys.stdout):
        raise Problem(f"{shape.operation.id} gives a file: say where it goes, --output FILE")
    if output is None or output == STDOUT:
        return None
    path = Path(output).expanduser()
    if path.is_dir():
        raise Problem(f"{output} is a folder: name a file, --output {path / 'FILE'}")
    if not path.parent.is_dir():
        raise Problem(f"the folder {path.parent} does not exist: make it first")
    return path


def _answer(shape: Shape, call: Call, client: SignicatClient) -> bytes:
    """
    The body of a success as it came.
    """
    answers: list[httpx.Response] = []
    # The generated function gives a model, which would lose what the document does not know.
    client.get_httpx_client().event_hooks["response"].append(answers.append)
    try:
        shape.module.sync(client=client, **call.arguments(shape))
    except MalformedResponse as error:
        remark(f"the answer is not what the document says: {error}", kind="warning")
    answer = answers[-1]
    if not answer.content and is_terminal(sys.stderr):
        remark(f"{answer.status_code} {answer.reason_phrase}, without content")
    return answer.content


def _put(content: bytes, target: Path | None) -> None:
    if target is None:
        show_answer(content)
        return
    partial = target.with_name(f".{target.name[:100]}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _download(shape: Shape, call: Call, client: SignicatClient, target: Path | None) -> None:
    to: Any = sys.stdout.buffer if target is None else target
    with _progress(target) as on_progress:
        file = shape.module.download(
            client=client, **call.arguments(shape), to=to, on_progress=on_progress
        )
    if target is None:
        sys.stdout.buffer.flush()
    else:
        remark(f"{target}: {file.size} bytes, {file.content_type or 'of no type'}")


@contextmanager
def _progress(target: Path | None) -> Iterator[Progress | None]:
    """
    A progress bar on stderr, where somebody sees it.
    """
    if target is None or not is_terminal(sys.stderr):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(file=sys.stderr, no_color=bool(os.environ.get("NO_COLOR")))
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task("", total=None)

        def show(done: int, total: int | None) -> None:
            bars.update(bar, completed=done, total=total)

        yield show


# Without sending


def show_request(shape: Shape, call: Call) -> None:
    """
    The request as it would be sent, without its token.
    """
    request = shape.module._get_kwargs(**call.arguments(shape))
    base = (os.environ.get("SIGNICAT_BASE_URL") or BASE_URL).rstrip("/")
    query = urlencode(_texts(request.get("params", {})), doseq=True)
    say(f"{request['method'].upper()} {base}{request['url']}{'?' if query else ''}{query}")
    for name, value in request.get("headers", {}).items():
        say(f"{name}: {value}")
    if "json" in request:
        show_json(request["json"])
    elif "files" in request:
        for name, (file, *_rest) in request["files"]:
            say(f"part {name}: {file}")


def _texts(parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in parameters.items()
    }


def show_shape(shape: Shape) -> None:
    """
    What the operation takes, in words.
    """
    operation = shape.operation
    if is_terminal(sys.stdout):
        say(f"{coloured(operation.method, 'cyan', sys.stdout)} {operation.path}")
        say(operation.summary)
        say(f"Scopes: {' '.join(operation.scopes) or 'the document names none'}")
        say("")
    members = list(shape.parameters.values())
    body = [] if shape.body is None else list(_body_members(shape.body))
    rows = [_row(one.name, one, "parameter") for one in members]
    rows += [_row(name, one, "body") for name, one in body]
    if rows:
        show_rows(("Name", "In", "", "Value"), rows)
    if shape.body is not None and not body:
        say(f"Body: {described(shape.body.type)}")


def _row(name: str, member: Member, place: str) -> tuple[str, str, str, str]:
    return name, place, "required" if member.required else "", described(member.type)


def _body_members(body: Member, prefix: str = "") -> Iterator[tuple[str, Member]]:
    """
    The members of the body, those of required objects below them.
    """
    model = model_of(body.type)
    for member in members_of(model).values() if model else ():
        yield f"{prefix}{member.name}", member
        if member.required:
            yield from _body_members(member, f"{prefix}{member.name}.")
