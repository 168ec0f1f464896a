"""
What the wheel must do in an environment that has nothing else; run by `nox -s package`.

Run with `python -I`, so that the checkout is out of reach.
"""

import importlib.metadata
import importlib.resources
import subprocess
import sys

import auth_ext
import generated_client
from auth_ext import OAuth2ClientCredentials, SignicatClient
from generated_client.api.signature import create_document


def main() -> None:
    """
    Use each half, look for what should be in the wheel, and for what should not.
    """
    version = importlib.metadata.version("signicat-express-client")
    assert version == auth_ext.__version__, version
    for package in (auth_ext, generated_client):
        assert importlib.resources.files(package).joinpath("py.typed").is_file(), package
    document = importlib.resources.files("auth_ext").joinpath("sandbox/openapi.json")
    assert document.is_file(), "the sandbox's document is missing"
    OAuth2ClientCredentials("id", "secret", scopes="document_read")
    with SignicatClient("id", "secret"):
        assert callable(create_document.sync)
    files = importlib.metadata.files("signicat-express-client") or []
    strangers = {str(f).split("/")[0] for f in files} - {"auth_ext", "generated_client", ".."}
    assert all(name.endswith(".dist-info") for name in strangers), strangers
    told = subprocess.run(
        [sys.executable, "-I", "-m", "auth_ext", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert version in told.stdout, told.stdout
    print(f"signicat-express-client {version}: {len(files)} files, both halves work")


if __name__ == "__main__":
    main()
