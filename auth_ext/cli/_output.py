"""
What is shown: tables and colours on a terminal, plain lines or JSON elsewhere.
"""

import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

MOST_NARROW = 40


def is_terminal(stream: TextIO) -> bool:
    """
    Whether a person looks at *stream*.
    """
    return stream.isatty()


def has_colour(stream: TextIO) -> bool:
    """
    Whether colours are wanted: on a terminal, unless NO_COLOR is set or it cannot show any.
    """
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and is_terminal(stream)


_COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36", "dim": "2"}


def coloured(text: str, colour: str, stream: TextIO) -> str:
    """
    *text* in that colour, where there are colours.
    """
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if has_colour(stream) else text


def clean(text: str) -> str:
    """
    *text* on one line and without what could steer a terminal; others wrote it.
    """
    return "".join(c if c.isprintable() else " " for c in text)


def say(text: str) -> None:
    """
    One line of the answer.
    """
    sys.stdout.write(f"{text}\n")


def remark(text: str, *, kind: str = "") -> None:
    """
    One line beside the answer, on stderr; on a terminal broken between words.
    """
    line = f"{kind}: {clean(text)}" if kind else clean(text)
    if is_terminal(sys.stderr):
        line = "\n".join(filled(line, " " * (len(line) - len(line.lstrip()))))
    if kind:
        line = (
            coloured(kind, "red" if kind == "error" else "yellow", sys.stderr) + line[len(kind) :]
        )
    sys.stderr.write(f"{line}\n")


def filled(text: str, indent: str) -> list[str]:
    """
    *text* broken between words where the terminal ends, with *indent* from the second line on.
    """
    width = max(shutil.get_terminal_size().columns - 1, MOST_NARROW)
    # Ids, paths and addresses stay in one piece, to be copied.
    return textwrap.wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def show_json(value: Any) -> None:
    """
    A value of ours as JSON.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    say(text if can_show(text, sys.stdout) else json.dumps(value, indent=2))


def can_show(text: str, stream: TextIO) -> bool:
    """
    Whether the stream's encoding has all characters of *text*.
    """
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def show_rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """
    A table that fits the terminal; elsewhere one line per row, cells divided by tabs.
    """
    if not is_terminal(sys.stdout):
        for row in rows:
            say("\t".join(map(clean, row)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    console = Console(no_color=not has_colour(sys.stdout), highlight=False, legacy_windows=False)
    console.print(table)


def show_answer(content: bytes) -> None:
    """
    An answer as the service gave it: byte for byte into a pipe, laid out on a terminal.

    Laid out means more white space only; numbers, order and repeated names stay as they are.
    """
    if not is_terminal(sys.stdout):
        raw_output(content if content.endswith(b"\n") or not content else content + b"\n")
        return
    text = content.decode("utf-8", "replace")
    if _is_json(text):
        say(_laid_out(text))
    else:
        for line in text.splitlines():
            say(clean(line))


def raw_output(content: bytes) -> None:
    """
    Bytes to stdout as they are.
    """
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_CLOSES = {"{": "}", "[": "]"}


def _laid_out(text: str) -> str:
    """
    JSON with a line per member. Works on its words: reading numbers would change some.
    """
    words = _TOKEN.findall(text)
    parts: list[str] = []
    depth = 0
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in _CLOSES:
            empty = following == _CLOSES[word]
            depth += 1
            parts.append(word + ("" if empty else _new_line(depth)))
        elif word in _CLOSES.values():
            depth -= 1
            opened = parts[-1] in _CLOSES
            parts.append(word if opened else _new_line(depth) + word)
        elif word == ",":
            parts.append("," + _new_line(depth))
        elif word == ":":
            parts.append(": ")
        else:
            parts.append(_painted(word, is_name=following == ":"))
    return "".join(parts)


def _new_line(depth: int) -> str:
    return "\n" + "  " * depth


def _painted(word: str, *, is_name: bool) -> str:
    if not word.startswith('"'):
        return coloured(word, "cyan", sys.stdout)
    # What a terminal might obey is written as JSON writes it: the value stays the same.
    shown = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in word)
    return coloured(shown, "blue" if is_name else "green", sys.stdout)
