"""
The command `signicat`: what people use Postman for.

    arguments -> command -> settings -> client -> answer -> table or JSON -> exit code

Needs the extra `cli`, each library of it where it is used. Exit codes: 0 all is well; 1 the
service refused or could not be reached, or `doctor` found something to mend; 2 usage, a setting
or a file here; 130 Ctrl-C; 141 whoever read the output has gone.
"""

import sys
from collections.abc import Sequence

from auth_ext._version import __version__

__all__ = ["main"]

_NO_EXTRA = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command line and give its exit code.

    Args:
        arguments: What follows the command; None: those of this process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        # Before anything is imported: people ask this first, and scripts often.
        sys.stdout.write(f"signicat-express-client {__version__}\n")
        return 0
    try:
        from auth_ext.cli._run import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "typer":
            raise
        sys.stderr.write('typer is missing. Run: pip install "signicat-express-client[cli]"\n')
        return _NO_EXTRA
    except KeyboardInterrupt:
        return _INTERRUPTED
    return run(given)
