"""
The main job from end to end: a document is created, signed and downloaded.

    python scripts/demo.py               against the local sandbox
    python scripts/demo.py --live        against the real service, after asking; --yes: without

Exit codes: 0 all of it worked, 1 something did not, 2 wrong use, 130 Ctrl-C.
"""

import argparse
import base64
import os
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import attrs
import httpx

from auth_ext import ConfigurationError, SignicatClient, TokenEvent, paginate
from auth_ext.sandbox import Sandbox, small_pdf
from generated_client.api.notification import list_events
from generated_client.api.signature import (
    cancel_document,
    create_document,
    get_document_file,
    get_document_status,
    list_document_summaries,
)
from generated_client.models import (
    GetDocumentFileFileFormat,
    SignatureContactDetails,
    SignatureDataToSign,
    SignatureDocument,
    SignatureDocumentCreateOptions,
    SignatureDocumentStatus,
    SignatureMechanism,
    SignaturePackageFormat,
    SignaturePackaging,
    SignatureRedirectMode,
    SignatureRedirectSettings,
    SignatureSignerCreateOptions,
    SignatureType,
)
from generated_client.types import given

LIVE_PATIENCE = 15 * 60.0
LIVE_PAUSE = 5.0


class DemoError(Exception):
    """
    A step did not do what it should.
    """


@attrs.frozen
class Place:
    """
    Where the demo happens, and how a signer and a mishap come about there.

    Attributes:
        client: The API.

        wait_for_signer: Gives way until the document may have been signed; called between looks.

        revoke: Ends all tokens before their time; None: cannot be done here.
    """

    client: SignicatClient
    wait_for_signer: Callable[[SignatureDocument], object]
    revoke: Callable[[], object] | None


class Story:
    """
    What is told on the terminal, step by step, and how many token requests it took.
    """

    def __init__(self) -> None:
        self.token_requests = 0
        self._step = 0

    def count(self, event: TokenEvent) -> None:
        """
        The client's on_event hook.
        """
        self.token_requests += event.kind == "token_fetched"

    def step(self, what: str) -> None:
        """
        Announce the next step.
        """
        self._step += 1
        print(f"\n{self._step}. {what}", flush=True)

    def tell(self, what: object) -> None:
        """
        Something that was found.
        """
        print(f"   {what}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """
    Run the demo; the exit code is the return value.
    """
    options = _options(arguments)
    story = Story()
    try:
        with (live if options.live else local)(story, ask=not options.yes) as place:
            follow(place, story)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except (DemoError, httpx.HTTPError) as error:
        print(f"\nIt did not work: {error}", file=sys.stderr)
        return 2 if isinstance(error, ConfigurationError) else 1
    print(f"\nAll of it worked, with {story.token_requests} token requests.")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Create, sign and download a document, against the local sandbox."
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="use the real service and SIGNICAT_CLIENT_ID and SIGNICAT_CLIENT_SECRET",
    )
    parser.add_argument("--yes", action="store_true", help="with --live: do not ask first")
    return parser.parse_args(arguments)


@contextmanager
def local(story: Story, *, ask: bool) -> Iterator[Place]:
    """
    The sandbox, a real HTTP server on this machine.
    """
    del ask  # nothing here costs or lasts
    story.step("Start the sandbox, a stand-in for the service on this machine")
    with (
        Sandbox() as sandbox,
        SignicatClient(
            sandbox.client_id,
            sandbox.client_secret,
            base_url=sandbox.url,
            token_url=sandbox.token_url,
            on_event=story.count,
        ) as client,
    ):
        story.tell(sandbox.url)
        yield Place(
            client,
            wait_for_signer=lambda document: sandbox.sign(str(document.document_id)),
            revoke=sandbox.revoke,
        )
        if sandbox.violations:
            raise DemoError(f"the sandbox broke the document's rules: {sandbox.violations[0]}")


@contextmanager
def live(story: Story, *, ask: bool) -> Iterator[Place]:
    """
    The real service; a person has to sign.
    """
    with SignicatClient(on_event=story.count) as client:
        print(
            "\nThis creates one document with one signer in the account of"
            f" {os.environ['SIGNICAT_CLIENT_ID']}\nat {client.get_httpx_client().base_url}."
            " You will get a link to sign it; stopping early cancels it.\n"
            "In production this may cost money."
        )
        if ask and input("Go on? [y/N] ").strip().lower() not in {"y", "yes"}:
            raise DemoError("you said no; nothing was created")
        until = monotonic() + LIVE_PATIENCE

        def wait(_: SignatureDocument) -> None:
            if monotonic() > until:
                raise DemoError("nobody signed within 15 minutes")
            sleep(LIVE_PAUSE)

        yield Place(client, wait_for_signer=wait, revoke=None)


def follow(place: Place, story: Story) -> None:
    """
    One document, from creation to the signed file.
    """
    client = place.client
    story.step("Create a document with a real PDF; the first token is fetched on the way")
    document = create_document.sync(client=client, body=contract())
    story.tell(f"document {document.document_id}, token requests so far: {story.token_requests}")
    for signer in document.signers or []:
        story.tell(f"to be signed at {signer.url}")
    try:
        wait_until_signed(place, document, story)
    except BaseException:
        cancel_document.sync_detailed(
            given(document.document_id), client=client, reason="The demo was stopped"
        )
        raise
    story.step("Find it in the list")
    found = [
        summary.title
        for summary in paginate(
            list_document_summaries, client=client, external_id=str(document.external_id)
        )
    ]
    _check(found == [document.title], f"the list shows {found}")
    story.tell(f"{found[0]!r} is there")
    download(client, document, story)
    read_events(client, story)
    if place.revoke is not None:
        survive(place, document, story)


def contract() -> SignatureDocumentCreateOptions:
    """
    What is to be signed, and by whom.
    """
    number = uuid.uuid4().hex[:12]
    pdf = small_pdf("A contract to try signing with")
    return SignatureDocumentCreateOptions(
        title="Demo contract",
        external_id=f"demo-{number}",
        data_to_sign=SignatureDataToSign(
            file_name="contract.pdf",
            base_64_content=base64.b64encode(pdf).decode("ascii"),
            packaging=SignaturePackaging(signature_package_formats=[SignaturePackageFormat.PADES]),
        ),
        contact_details=SignatureContactDetails(email="contracts@example.com"),
        signers=[
            SignatureSignerCreateOptions(
                external_signer_id=f"signer-{number}",
                redirect_settings=SignatureRedirectSettings(
                    redirect_mode=SignatureRedirectMode.DONOT_REDIRECT
                ),
                signature_type=SignatureType(mechanism=SignatureMechanism.PKISIGNATURE),
            )
        ],
    )


def wait_until_signed(place: Place, document: SignatureDocument, story: Story) -> None:
    """
    Look at the status until the signer is done.
    """
    story.step("Follow it until it is signed")
    seen = None
    while True:
        answer = get_document_status.sync(given(document.document_id), client=place.client)
        status = answer.document_status
        if status != seen:
            story.tell(f"status: {status}")
            seen = status
        if status == SignatureDocumentStatus.SIGNED:
            return
        if status in {SignatureDocumentStatus.CANCELED, SignatureDocumentStatus.EXPIRED}:
            raise DemoError(f"the document is {status}")
        place.wait_for_signer(document)


def download(client: SignicatClient, document: SignatureDocument, story: Story) -> None:
    """
    Stream the signed file to disk.
    """
    story.step("Download the signed file")
    with tempfile.TemporaryDirectory() as folder:
        file = get_document_file.download(
            given(document.document_id),
            client=client,
            file_format=GetDocumentFileFileFormat.PADES,
            to=Path(folder) / "signed.pdf",
        )
        start = (Path(folder) / "signed.pdf").read_bytes()[:5]
        _check(start == b"%PDF-", f"the signed file is no PDF but {file.content_type}")
        story.tell(f"{file.size} bytes of {file.content_type}")


def read_events(client: SignicatClient, story: Story) -> None:
    """
    What the service says has happened.
    """
    story.step("Read the events it caused")
    names = [str(event.type_) for event in list_events.sync(client=client)]
    _check("document_signed" in names, f"document_signed is not among the events: {names}")
    story.tell(", ".join(names))


def survive(place: Place, document: SignatureDocument, story: Story) -> None:
    """
    A token that ends before its time costs one token request and no error.
    """
    story.step("Revoke all tokens behind the client's back, and go on as if nothing happened")
    assert place.revoke is not None
    place.revoke()
    before = story.token_requests
    answer = get_document_status.sync(given(document.document_id), client=place.client)
    _check(story.token_requests == before + 1, "the token was not renewed exactly once")
    story.tell(
        f"status: {answer.document_status};"
        " the 401 was answered with one new token, and nobody noticed"
    )


def _check(condition: bool, otherwise: str) -> None:
    if not condition:
        raise DemoError(otherwise)


if __name__ == "__main__":
    sys.exit(main())
