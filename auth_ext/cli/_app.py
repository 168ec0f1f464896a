"""
The commands, their options and their help.
"""

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from auth_ext._version import __version__
from auth_ext.cli._output import remark, say
from auth_ext.cli._problem import ExitCode
from auth_ext.cli._settings import read_env_file

app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,  # help is plain text everywhere
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

EPILOG = """\b
Settings, from the environment or from a .env file in the current folder:
  SIGNICAT_CLIENT_ID      asked for on a terminal when missing, and so is
  SIGNICAT_CLIENT_SECRET
  SIGNICAT_SCOPES         scopes where nothing else names them
  SIGNICAT_TOKEN_STORE    memory, file, file:PATH, redis://...; here: file
  SIGNICAT_BASE_URL       other addresses than the vendor's
  SIGNICAT_TOKEN_URL

\b
Exit codes:
  0    all is well
  1    the service refused or cannot be reached, or doctor has found something
  2    usage, a setting, or a file here
  130  Ctrl-C
  141  whoever read the output has gone

\b
Examples:
  signicat doctor
  signicat call list_document_summaries limit=5
  curl -H "Authorization: Bearer $(signicat token --scopes event)" ...
"""

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


def complete_operation() -> Iterator[tuple[str, str]]:
    """
    Ids of operations with their summaries; the shell picks those that begin right.
    """
    from generated_client.operations import OPERATIONS

    for operation in OPERATIONS.values():
        yield operation.id, operation.summary


def complete_argument(ctx: typer.Context) -> Iterator[str]:
    """
    Names of the operation's parameters and of the members of its body.
    """
    from auth_ext.cli._shape import members_of, model_of, shape_of
    from generated_client.operations import OPERATIONS

    operation = OPERATIONS.get(ctx.params.get("operation") or "")
    if operation is None:
        return
    shape = shape_of(operation)
    model = None if shape.body is None else model_of(shape.body.type)
    for name in [*shape.parameters, *([] if model is None else members_of(model))]:
        yield f"{name}="


def _version(wanted: bool) -> None:
    if wanted:
        say(f"signicat-express-client {__version__}")
        raise typer.Exit


@app.callback(epilog=EPILOG)
def signicat(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the library's log and tracebacks, on stderr.")
    ] = False,
) -> None:
    """
    The Signicat Express REST API from a shell. Unofficial.
    """
    del version, debug  # both are seen to before this
    if ctx.invoked_subcommand is None:
        sys.stderr.write(f"{ctx.get_help()}\n")
        raise typer.Exit(ExitCode.USAGE)
    ctx.obj = told = read_env_file()
    if told is not None and ctx.invoked_subcommand != "doctor":
        remark(told, kind="warning")


@app.command(
    epilog="""\b
Examples:
  signicat token --scopes "document_read event"
  signicat token --for list_document_summaries --json
  curl -H "Authorization: Bearer $(signicat token --scopes event)" ...

The token is kept in the token store and used again while it is valid."""
)
def token(
    scopes: Annotated[
        str | None,
        typer.Option(
            "--scopes",
            metavar="SCOPES",
            help="What it must be good for, divided by spaces; else SIGNICAT_SCOPES.",
        ),
    ] = None,
    operations: Annotated[
        list[str] | None,
        typer.Option(
            "--for",
            metavar="OPERATION",
            help="What that operation needs; may be repeated.",
            autocompletion=complete_operation,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON with the scopes granted and the expiry.")
    ] = False,
) -> None:
    """
    Print an access token, for curl and the like.
    """
    from auth_ext.cli._token import show_token

    show_token(scopes, operations or [], as_json=as_json)


@app.command(
    epilog="""\b
Examples:
  signicat scopes                                   the catalogue
  signicat scopes create_document get_document      what these need
  signicat scopes --allow "document_read event"     what these allow"""
)
def scopes(
    operations: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[OPERATION]...",
            help="Ids of operations; see: signicat operations.",
            autocompletion=complete_operation,
        ),
    ] = None,
    allow: Annotated[
        str | None,
        typer.Option(
            "--allow", metavar="SCOPES", help="Show the operations that these scopes allow."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """
    Show scopes: all, or who needs which.
    """
    from auth_ext.cli import _catalogue

    if allow is not None:
        _catalogue.show_allowed(allow, operations or [], as_json=as_json)
    elif operations:
        _catalogue.show_needed(operations, as_json=as_json)
    else:
        _catalogue.show_scopes(as_json=as_json)


@app.command(
    epilog="""\b
Examples:
  signicat operations
  signicat operations document file
  signicat operations --json | jq -r '.[].id'"""
)
def operations(
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT]...",
            help="Words that must all occur in the id, path, scopes or summary.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """
    List operations: id, method, path, scopes.
    """
    from auth_ext.cli._catalogue import show_operations

    show_operations(text or [], as_json=as_json)


@app.command(
    epilog="""\b
Values:
  name=value          a parameter, or a member of the body
  a.b=value           a member of a member
  name=@FILE          the content of a file
  name=base64@FILE    the same as Base64
  name=1 name=2       a list; other things as JSON: name='{"a": 1}'

\b
Examples:
  signicat call list_document_summaries status=signed limit=5
  signicat call create_document --describe
  signicat call create_document --body document.json title="A contract" \\
      dataToSign.base64Content=base64@contract.pdf
  signicat call get_document_file documentId=ID fileFormat=native \\
      --output contract.pdf"""
)
def call(
    operation: Annotated[
        str,
        typer.Argument(
            metavar="OPERATION",
            help="Id of the operation; see: signicat operations.",
            autocompletion=complete_operation,
        ),
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...",
            help="Parameters, and members of the body.",
            autocompletion=complete_argument,
        ),
    ] = None,
    body: Annotated[
        str | None, typer.Option("--body", metavar="FILE", help="JSON for the body; - reads stdin.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where the answer goes; - is stdout."),
    ] = None,
    scopes: Annotated[
        str | None,
        typer.Option(
            "--scopes",
            metavar="SCOPES",
            help="Scopes of the token, instead of those that the operation needs.",
        ),
    ] = None,
    describe: Annotated[
        bool, typer.Option("--describe", help="Show what the operation takes; send nothing.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check, show the request; send nothing.")
    ] = False,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Send the body as it is, whatever is in it.")
    ] = False,
) -> None:
    """
    Call any operation and print its answer.
    """
    from auth_ext.cli import _call
    from auth_ext.cli._arguments import prepared

    shape = _call.shape_named(operation)
    if describe:
        _call.show_shape(shape)
        return
    with prepared(shape, arguments or [], body, checked=not unchecked) as call:
        if dry_run:
            _call.show_request(shape, call)
        else:
            _call.perform(shape, call, output=output, scopes=scopes)


@app.command(
    epilog="""\b
Examples:
  signicat doctor
  signicat doctor --scopes "document_read document_write"
  signicat doctor --json > report.json

Asks for a token for each scope of the document. Scopes that SIGNICAT_SCOPES or --scopes names
must be granted; others are only listed. Never shows a secret or a token."""
)
def doctor(
    ctx: typer.Context,
    scopes: Annotated[
        str | None,
        typer.Option(
            "--scopes",
            metavar="SCOPES",
            help="The scopes you need: only these are tried, and all must be granted.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """
    Check everything, and say what to mend.

    Settings, network, clock, credentials, scopes, token store.
    """
    from auth_ext.cli._doctor import examine

    if not examine(scopes, env_file=ctx.obj, as_json=as_json):
        raise typer.Exit(ExitCode.REFUSED)
