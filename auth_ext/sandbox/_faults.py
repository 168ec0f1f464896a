"""Misbehaviour on demand: which faults are set, which one a request meets, what it does."""

import itertools
import random
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

TARGETS = ("token", "api", "all")

# Every kind with its options and their defaults. What each does: docs of `Sandbox.misbehave`.
KINDS: Mapping[str, Mapping[str, Any]] = {
    "status": {"status": 503, "retry_after": None},
    "answer": {"status": 200, "body": {}, "content_type": "application/json"},
    "unauthorized": {},
    "slow": {"before": 0.0, "during": 0.0},
    "cut": {"after": None},
    "garbage": {},
    "not_http": {},
    "html": {"status": 200},
    "empty": {"status": 200},
    "content_type": {"content_type": "text/plain"},
    "oversized": {"size": 2 * 1024 * 1024},
    "redirect": {"status": 307, "location": "/_sandbox/elsewhere"},
    "date_skew": {"seconds": 3600.0},
}


# Kinds that answer in place of the service. One of them strikes per request; others wait their
# turn, so that a list of them is a script.
ANSWERING = (
    "status",
    "answer",
    "unauthorized",
    "garbage",
    "html",
    "empty",
    "oversized",
    "redirect",
)


class BadControl(ValueError):
    """A request to the control URL that makes no sense; the text says why."""


@attrs.frozen(kw_only=True)
class Fault:
    """One way to misbehave.

    Attributes:
        id: Its number, to take it back by.
        kind: A key of KINDS.
        target: "token", "api" or "all".
        operation: Only requests of that operation; None: any.
        times: How many requests meet it; None: all until it is taken back.
        skip: How many requests are spared first.
        probability: How likely a request meets it.
        options: What the kind takes, complete.
    """

    id: int
    kind: str
    target: str
    operation: str | None
    times: int | None
    skip: int
    probability: float
    options: Mapping[str, Any]

    def wire(self) -> dict[str, Any]:
        """As the control URL shows it."""
        shown = attrs.asdict(self)
        return {**shown, **shown.pop("options")}


@attrs.define
class _Set:
    fault: Fault
    left: int | None
    spare: int


class Faults:
    """The faults that are set. May be asked and changed from any thread."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._set: dict[int, _Set] = {}
        self._numbers = itertools.count(1)
        self._random = random.Random(seed)  # noqa: S311 - chance, not secrecy

    def add(
        self,
        kind: str,
        *,
        target: str = "api",
        operation: str | None = None,
        times: int | None = None,
        skip: int = 0,
        probability: float = 1.0,
        **options: Any,
    ) -> Fault:
        """Set a fault.

        Raises:
            BadControl: There is no such kind, target or option.
        """
        _check(kind, target, operation, times, skip, probability, options)
        fault = Fault(
            id=next(self._numbers),
            kind=kind,
            target=target,
            operation=operation,
            times=times,
            skip=skip,
            probability=probability,
            options={**KINDS[kind], **options},
        )
        with self._lock:
            self._set[fault.id] = _Set(fault, times, skip)
        return fault

    def remove(self, number: int) -> None:
        """Take a fault back; one that is no more does no harm."""
        with self._lock:
            self._set.pop(number, None)

    def clear(self) -> None:
        """Take all faults back."""
        with self._lock:
            self._set.clear()

    def current(self) -> tuple[Fault, ...]:
        """The faults that may still strike."""
        with self._lock:
            return tuple(one.fault for one in self._set.values())

    def meet(self, target: str, operation: str | None) -> tuple[Fault, ...]:
        """The faults that a request meets; each is counted as used."""
        with self._lock:
            return tuple(self._meet(target, operation))

    def _meet(self, target: str, operation: str | None) -> Iterator[Fault]:
        is_answered = False
        for one in list(self._set.values()):
            fault = one.fault
            if is_answered and fault.kind in ANSWERING:
                continue
            if fault.target not in (target, "all") or fault.operation not in (None, operation):
                continue
            if one.spare:
                one.spare -= 1
                continue
            if self._random.random() >= fault.probability:
                continue
            if one.left is not None:
                one.left -= 1
                if not one.left:
                    del self._set[fault.id]
            is_answered = is_answered or fault.kind in ANSWERING
            yield fault


def only(faults: Iterable[Fault], *kinds: str) -> Fault | None:
    """The first fault of one of those kinds."""
    return next((fault for fault in faults if fault.kind in kinds), None)


def _check(
    kind: str,
    target: str,
    operation: object,
    times: int | None,
    skip: int,
    probability: float,
    options: Mapping[str, Any],
) -> None:
    if kind not in KINDS:
        raise BadControl(f"There is no fault {kind!r}; there are {', '.join(sorted(KINDS))}.")
    if target not in TARGETS:
        raise BadControl(f"There is no target {target!r}; there are {', '.join(TARGETS)}.")
    if operation is not None and target != "api":
        raise BadControl("An operation is of the API: target must be 'api'.")
    for name, given in (("times", times), ("skip", skip)):
        if given is not None and (not isinstance(given, int) or given < (name == "times")):
            raise BadControl(f"{name} must be a whole number above zero, not {given!r}.")
    if not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise BadControl(f"probability lies between 0 and 1, not {probability!r}.")
    for name, given in options.items():
        _check_option(kind, name, given)


def _check_option(kind: str, name: str, given: Any) -> None:
    known = KINDS[kind]
    if name not in known:
        takes = ", ".join(sorted(known)) or "no options"
        raise BadControl(f"The fault {kind!r} has no {name!r}; it takes {takes}.")
    if name == "status" and (not isinstance(given, int) or not 200 <= given <= 599):
        raise BadControl(f"status lies between 200 and 599, not {given!r}.")
    if name in ("before", "during", "seconds", "size") and not isinstance(given, int | float):
        raise BadControl(f"{name} must be a number, not {given!r}.")
