"""
The table of faults as Markdown: `python -m tests.faults.table > faults.md`.
"""

import sys
from collections.abc import Iterator

from tests.faults.rows import BODIES, BODY_IN_WORDS, CELLS, ROWS, Cell, Place, Row, Token

HEADS = """\
Each cell: what the caller gets, and in brackets how many requests the token endpoint and the API
saw. It holds for sync and async calls alike; the test suite tries both.
"""


def table() -> str:
    """
    All rows, one table for each place and kind of token.
    """
    return "\n".join([HEADS, *_tables()])


def _tables() -> Iterator[str]:
    places: tuple[Place, ...] = ("token endpoint", "API")
    states: tuple[Token, ...] = ("cold", "cached")
    for place in places:
        for state in states:
            yield f"## Faults of the {place}, token {state}\n"
            yield f"| fault | {' | '.join(BODY_IN_WORDS[body] for body in BODIES)} |"
            yield f"|---{'|---' * len(BODIES)}|"
            for row in ROWS:
                if row.place == place:
                    yield _line(row, state)
            yield ""


def _line(row: Row, state: Token) -> str:
    cells = [cell for cell in CELLS if cell.row is row and cell.token == state]
    return f"| {row.fault} | {' | '.join(map(_text, cells))} |"


def _text(cell: Cell) -> str:
    want = cell.want
    end = "done" if want.end == "done" else f"`{want.end}`"
    return f"{end} ({want.token} + {want.api})"


if __name__ == "__main__":  # pragma: no cover - prints what is tested
    sys.stdout.write(table())
