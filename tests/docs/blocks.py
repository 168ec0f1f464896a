"""
The code blocks of a page.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import attrs

FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@attrs.frozen
class Block:
    """
    A code block.

    Attributes:
        line: Lines of the page above its first one.

        about: What stands behind the language, such as a title.
    """

    page: Path
    line: int
    about: str
    text: str

    @property
    def program(self) -> str | None:
        """
        The file that it shows: examples/NAME; None: none.
        """
        found = re.search(r'title="(examples/[\w.]+)"', self.about)
        return found and found[1]

    def run(self, namespace: dict[str, object]) -> None:
        """
        Run it as Python; a traceback names the page and its line.
        """
        exec(compile("\n" * self.line + self.text, self.page, "exec"), namespace)

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path, language: str) -> Iterator[Block]:
    """
    The blocks of that language, in order.
    """
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        if found[1] == language:
            yield Block(page, text.count("\n", 0, found.start(3)), found[2], found[3])
