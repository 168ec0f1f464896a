"""
Writing a cassette: scrubbed, and with its origin and date inside.
"""

import datetime
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import attrs

from auth_ext.testing._origin import Whose
from auth_ext.testing._scrub import Answer, Request, Scrubber, with_constants

SECRET_VARIABLES = {"SIGNICAT_CLIENT_ID": "client-id", "SIGNICAT_CLIENT_SECRET": "secret"}
_VCR = TypeVar("_VCR")


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


@attrs.define
class ScrubbingPersister:
    """
    Reads and writes cassettes through another persister; what it writes is scrubbed.

    Cassettes with no request to the service in them are written as they would be without it.

    Args:
        inner: The persister that it stands before.

        whose: Which requests are to be scrubbed.

        steady: As for `Scrubber`.

        today: The date to write down.
    """

    inner: Any
    whose: Whose = attrs.field(factory=Whose)
    steady: bool = False
    today: Callable[[], datetime.date] = _today

    def load_cassette(self, cassette_path: Any, serializer: Any) -> Any:
        """
        What the inner persister reads.
        """
        return self.inner.load_cassette(cassette_path, serializer)

    def save_cassette(self, cassette_path: Any, cassette_dict: Any, serializer: Any) -> None:
        """
        Write the cassette.
        """
        requests, answers = list(cassette_dict["requests"]), list(cassette_dict["responses"])
        if not any(map(self.whose.is_ours, requests)):
            self.inner.save_cassette(cassette_path, cassette_dict, serializer)
            return
        environment = self.whose.environment
        secrets = {
            environment[name]: kind
            for name, kind in SECRET_VARIABLES.items()
            if environment.get(name)
        }
        scrubber = Scrubber(self.whose, secrets, steady=self.steady)
        before = _about(cassette_path, serializer).get("origin")
        about = {
            "origin": _origin(self.whose, answers, before),
            "recorded": self.today().isoformat(),
        }
        scrubbed = scrubber.scrub(requests, answers)
        whole = {**cassette_dict, **dict(zip(("requests", "responses"), scrubbed, strict=True))}
        self.inner.save_cassette(cassette_path, whole, _Labelling(serializer, about))


@attrs.frozen
class _Labelling:
    """
    A serializer that puts `about` before the interactions.
    """

    inner: Any
    about: dict[str, str]

    def serialize(self, cassette_dict: dict[str, Any]) -> Any:
        return self.inner.serialize({"about": self.about, **cassette_dict})


def scrub(recorder: _VCR, *, whose: Whose | None = None, steady: bool = False) -> _VCR:
    """
    Have a `vcr.VCR` write cassettes without secrets and personal data, and give it back.

    Tokens, client ids and secrets, cookies, names, e-mail addresses, phone numbers, national ids
    and their like become placeholders, the same for the same value throughout one cassette. Hosts
    that are not the vendor's, such as a sandbox's, become the vendor's. Only requests to the
    service are touched.

    Args:
        recorder: A `vcr.VCR`, whose persister is set before, if it is to be another one.

        whose: Which requests go to the service; None: those to the vendor's hosts or to
            SIGNICAT_BASE_URL, those by this package, and those that carry its tokens.

        steady: Whether ids and moments are replaced too, so that recording again gives the same
            bytes.
    """
    whose = whose or Whose()
    vcr: Any = recorder
    vcr.register_persister(ScrubbingPersister(vcr.persister, whose, steady=steady))
    if vcr.before_record_request is None:
        vcr.before_record_request = matching(whose)
    return recorder


def matching(whose: Whose) -> Callable[[Request], Request]:
    """
    What makes a request comparable with those of a cassette: its address, as it is written there.
    """

    def as_recorded(request: Request) -> Request:
        if whose.is_ours(request):
            request.uri = with_constants(whose.rewritten(request.uri))
        return request

    return as_recorded


def _about(path: Any, serializer: Any) -> dict[str, str]:
    """
    What a cassette that is there says about itself.
    """
    try:
        about = serializer.deserialize(Path(path).read_text(encoding="utf-8"))["about"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return about if isinstance(about, dict) else {}


def _origin(whose: Whose, answers: Iterable[Answer], before: str | None) -> str:
    """
    Where the answers came from: the sandbox, or an account and of which environment.

    What was read from the file, not recorded now, keeps the origin that the file named.
    """
    if not whose.met_a_sandbox:
        return before or next(filter(None, map(_account, answers)), "account")
    return "sandbox" if before in {None, "sandbox"} else f"{before} and sandbox"


def _account(answer: Answer) -> str:
    for name, texts in answer["headers"].items():
        if name.lower() == "x-idfy-environment":
            return f"{texts[0].lower()} account"
    return ""
