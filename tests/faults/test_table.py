import logging
import threading

import pytest

from auth_ext.sandbox import Sandbox
from tests.faults.drive import MODES, Calls, Mode, shown, try_cell
from tests.faults.rows import CELLS, ROWS, Cell
from tests.faults.table import table


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_fault(
    cell: Cell, mode: Mode, sandbox: Sandbox, calls: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A call that meets a fault comes to what the table says, and neither hangs nor leaks.
    """
    caplog.set_level(logging.DEBUG)

    outcome = try_cell(cell, mode, sandbox, calls)

    assert cell.want == outcome.got, repr(outcome.error)
    assert _files_of(cell) == outcome.files
    assert [] == [thread.name for thread in _threads_of_ours()]
    told = shown(outcome.error, caplog.records)
    assert [] == [secret for secret in outcome.secrets if secret in told]


def _files_of(cell: Cell) -> tuple[str, ...]:
    """
    A download leaves its file, whole, or nothing at all.
    """
    whole = cell.body == "download" and cell.want.end == "done"
    return ("document.pdf",) if whole else ()


def _threads_of_ours() -> list[threading.Thread]:
    ours = [one for one in threading.enumerate() if one.name.startswith("auth_ext")]
    for thread in ours:
        thread.join(5.0)
    return [thread for thread in ours if thread.is_alive()]


def test_rows_have_names_of_their_own() -> None:
    """
    No two rows of one place are called the same.
    """
    names = [(row.place, row.fault) for row in ROWS]

    assert sorted(set(names)) == sorted(names)


def test_the_table_reads_as_markdown() -> None:
    """
    One table for each place and kind of token, one line for each fault in it.
    """
    lines = table().splitlines()

    assert 2 * len(ROWS) == sum(line.startswith("| ") and "| fault " not in line for line in lines)
    assert "| 401 once | done (2 + 2) | done (2 + 2) | `Unauthorized` (2 + 1) | done (2 + 2) |" in (
        lines
    )
