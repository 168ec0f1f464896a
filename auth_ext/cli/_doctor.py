"""
`signicat doctor`: the checks in order, each shown as soon as it is done.
"""

import sys
from collections.abc import Iterator

import attrs

from auth_ext.cli import _checks
from auth_ext.cli._checks import Finding, Grants, Target
from auth_ext.cli._output import can_show, clean, coloured, filled, is_terminal, say, show_json
from auth_ext.cli._problem import Problem
from auth_ext.cli._settings import ask_for_credentials

_MARKS = {"ok": ("✓", "green"), "mend": ("✗", "red"), "skipped": ("-", "dim")}
_NAME_WIDTH = 12


def examine(scopes: str | None, *, env_file: str | None, as_json: bool) -> bool:
    """
    Look at everything and show it.

    Args:
        scopes: Only these are tried, and all of them must be granted; None: all are tried, and
            those of SIGNICAT_SCOPES must be granted.

        env_file: What is to be mended about the `.env` file; None: nothing.

        as_json: Whether to show JSON, when all is done.

    Returns:
        Whether all is well.
    """
    visit = _Visit(scopes, env_file)
    findings: list[Finding] = []
    for found in visit.findings():
        finding = visit.without_secret(found)
        findings.append(finding)
        if not as_json:
            _show(finding)
    well = all(finding.status != "mend" for finding in findings)
    if as_json:
        checks = [attrs.asdict(finding) for finding in findings]
        show_json({"ok": well, "checks": checks, "scopes": attrs.asdict(visit.grants)})
    else:
        say("\nAll is well." if well else "\nThere is something to mend.")
    return well


class _Visit:
    """
    One round of checks; what one finds decides which come next.
    """

    def __init__(self, scopes: str | None, env_file: str | None) -> None:
        self.grants = Grants()
        self._scopes = scopes
        self._env_file = env_file
        self._target: Target | None = None

    def findings(self) -> Iterator[Finding]:
        """
        Every finding, as soon as it is there.
        """
        yield _checks.versions()
        if self._env_file is not None:
            yield Finding(".env", "mend", "not private", self._env_file)
        try:
            ask_for_credentials()
        except Problem as problem:
            yield Finding("settings", "mend", "not usable", problem.lines[0])
        else:
            found, self._target = _checks.settings(self._scopes)
            yield from found
        if self._target is None:
            yield Finding("network", "skipped", "the settings come first")
        else:
            yield from self._remote(self._target)
        yield _checks.store()

    def _remote(self, target: Target) -> Iterator[Finding]:
        reachable = True
        for url in _checks.endpoints(target):
            for finding in _checks.network(url):
                reachable = reachable and finding.status != "mend"
                yield finding
        if not reachable:
            yield Finding("credentials", "skipped", "the network comes first")
            return
        yield _checks.clock(target)
        accepted = _checks.credentials(target)
        yield accepted
        if accepted.status == "mend":
            yield Finding("scopes", "skipped", "the credentials come first")
            return
        self.grants, found = _checks.scopes(target)
        yield from found

    def without_secret(self, finding: Finding) -> Finding:
        """
        *finding*, blanked: no text should hold the secret, and this makes sure of it.
        """
        secret = "" if self._target is None else self._target.credentials.client_secret
        if not secret:
            return finding
        return attrs.evolve(
            finding,
            detail=finding.detail.replace(secret, "[secret]"),
            remedy=finding.remedy.replace(secret, "[secret]"),
        )


def _show(finding: Finding) -> None:
    if not is_terminal(sys.stdout):
        parts = (finding.status, finding.name, finding.detail, finding.remedy)
        say("\t".join(clean(part) for part in parts).rstrip("\t"))
    else:
        mark, colour = _MARKS[finding.status]
        if not can_show(mark, sys.stdout):
            mark = finding.status
        text = _wrapped(f"{mark} {finding.name:<{_NAME_WIDTH}} ", finding.detail)
        # Coloured after it was wrapped: colours have no width.
        say(text.replace(mark, coloured(mark, colour, sys.stdout), 1))
        if finding.remedy:
            say(_wrapped(" " * (_NAME_WIDTH + 3), finding.remedy))
    sys.stdout.flush()


def _wrapped(start: str, text: str) -> str:
    return "\n".join(filled(start + clean(text), " " * len(start)))
