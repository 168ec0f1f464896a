"""
What can go wrong, by what the person at the keyboard can do about it.

    SpecError                 exit code
    ├── DocumentError         3  the document is unreadable or broken: mend it, or add an overlay
    ├── LossError             4  the client would lack something: add a rule or an overlay
    └── EnvironmentProblem    6  this machine: install, make room, give permission
"""

from collections.abc import Sequence


class SpecError(Exception):
    """
    A run that stops with one clear line, and one more line per finding.

    Args:
        message: What happened and what to do, in one line.
        findings: One line each, when there is more than one thing to name.
    """

    exit_code = 3

    def __init__(self, message: str, findings: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.findings = tuple(findings)

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {finding}" for finding in self.findings)])


class DocumentError(SpecError):
    """The document cannot be read, is no OpenAPI document, or contradicts itself."""

    exit_code = 3


class LossError(SpecError):
    """The client would lack something that the document has."""

    exit_code = 4


class EnvironmentProblem(SpecError):
    """This machine lacks something: a tool, room on the disk, a permission."""

    exit_code = 6
