"""
The site builds without a warning, and works in a browser that can reach nothing else.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import auth_ext

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("docs", "mkdocs.yml", "CHANGELOG.md", "auth_ext", "generated_client")


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """
    Build the site of *folder* into its folder `site`.
    """
    return subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--clean"],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(folder)},
        timeout=120,
        check=False,
    )


def copied(folder: Path) -> Path:
    """
    What the site is built from.
    """
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The site, built.
    """
    folder = copied(tmp_path_factory.mktemp("site"))
    built = build(folder)
    assert 0 == built.returncode, built.stdout + built.stderr
    assert "warning" not in (built.stdout + built.stderr).lower()
    return folder / "site"


def test_every_page_is_in_the_navigation(site: Path) -> None:
    """
    And every page of the navigation is there.
    """
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}
    listed = re.findall(
        r"^ +- .+: (\w+)\.md$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE
    )

    assert sorted(pages) == sorted(listed)
    for page in pages - {"index"}:
        assert (site / page / "index.html").is_file()


@pytest.mark.parametrize("link", ["nowhere.md", "errors.md#no-such-heading"])
def test_a_dead_link_stops_the_build(tmp_path: Path, link: str) -> None:
    """
    Warnings are errors.
    """
    page = copied(tmp_path) / "docs" / "paging.md"
    page.write_text(f"{page.read_text('utf-8')}\n[dead]({link})\n", "utf-8")

    assert 0 != build(tmp_path).returncode


def test_the_reference_has_all_public_names(site: Path) -> None:
    """
    Each name of `auth_ext.__all__` has an entry with its docstring's first line.
    """
    text = (site / "reference" / "index.html").read_text("utf-8")
    for name in set(auth_ext.__all__) - {"__version__"}:
        assert re.search(rf'id="auth_ext\.[\w.]*{name}"', text), name
        line = (getattr(auth_ext, name).__doc__ or "").strip().splitlines()[0]
        assert line.partition("`")[0].partition(",")[0] in text, name


# In a browser

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


class Quiet(SimpleHTTPRequestHandler):
    """
    Serves files and says nothing.
    """

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """
        Nothing.
        """


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """
    Where it is served.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def found(*names: str) -> str:
    """
    The first of these programs; without any: skip, but in CI fail.
    """
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None and os.environ.get("CI") == "true":
        pytest.fail(f"CI has no {names[0]}")
    if path is None:
        pytest.skip(f"needs {names[0]}: apt-get install chromium chromium-driver")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """
    A browser without a past.
    """
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = found("chromium", "google-chrome", "chromium-browser")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(found("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture(params=SIZES)
def window(request: pytest.FixtureRequest, browser: Any) -> Any:
    """
    The browser as wide as a desktop, then as a phone; with nothing in its logs.
    """
    width, height = SIZES[request.param]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    return browser


def asked_for(browser: Any) -> list[str]:
    """
    The addresses of everything that the browser has asked for.
    """
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def complaints(browser: Any) -> list[str]:
    """
    Warnings and errors on the console since the last look.
    """
    return [
        entry["message"]
        for entry in browser.get_log("browser")
        if entry["level"] in {"WARNING", "SEVERE"}
    ]


def test_a_console_error_is_seen(window: Any, address: str) -> None:
    """
    What the next tests rely on.
    """
    window.get(address + "404.html")
    window.execute_script("console.error('planted'); console.warn('too')")

    assert 2 == len(complaints(window))


def search(browser: Any, address: str, text: str) -> list[Any]:
    """
    Open the search as a reader does, type *text*, and give the links that it finds.
    """
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    wait = WebDriverWait(browser, 20)
    browser.get(address)
    openers = ".md-search__button, .md-header label[for=__search]"  # on a desktop, on a phone
    wait.until(
        lambda driver: [
            one for one in driver.find_elements(By.CSS_SELECTOR, openers) if one.is_displayed()
        ]
    )[0].click()
    root = "return document.activeElement && document.activeElement.shadowRoot"
    dialog = wait.until(lambda driver: driver.execute_script(root))
    wait.until(lambda _: dialog.find_elements(By.CSS_SELECTOR, "input"))[0].send_keys(text)
    links: list[Any] = wait.until(lambda _: dialog.find_elements(By.CSS_SELECTOR, "a[href]"))
    return links


def test_the_scope_table_is_found_by_search(window: Any, address: str) -> None:
    """
    The first hit leads to the table of operations by scope; no console message, no other server.
    """
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    search(window, address, "document_file")[0].click()
    wait = WebDriverWait(window, 20)
    wait.until(lambda driver: "/scopes/" in driver.current_url)
    heading = wait.until(lambda driver: driver.find_element(By.ID, "document_file"))
    table = heading.find_element(By.XPATH, "following::table[1]")

    assert "signature.get_document_file" in table.text
    assert [] == complaints(window)
    requests = asked_for(window)
    assert requests
    assert [] == [url for url in requests if not url.startswith((address, "data:", "blob:"))]


@pytest.mark.parametrize("page", ["", "scopes/", "errors/", "sandbox/", "compare/", "reference/"])
def test_no_page_is_wider_than_the_window(window: Any, address: str, page: str) -> None:
    """
    Wide tables and code scroll by themselves; the page does not, on a phone either.
    """
    window.get(address + page)

    widths = "return [document.documentElement.scrollWidth, window.innerWidth]"
    content, width = window.execute_script(widths)
    assert content <= width
    assert [] == complaints(window)
