"""Long work shows on a terminal that it goes on, and what is ended before it is whole leaves what was
there.
"""

import io
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from tui.cli import bars
from tui.cli.bars import busy, counting
from tui.cli.whole import whole


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    shown = io.StringIO()
    monkeypatch.setattr(bars, "SHORT", 0.01)
    monkeypatch.setattr(
        bars, "Console", lambda stderr: Console(file=shown, force_terminal=True, width=80)
    )
    return shown


def test_work_that_takes_long_says_so_and_how_far_it_is(terminal: io.StringIO) -> None:
    with busy("exporting fills") as hear:
        assert list(counting(range(250), "exporting fills", hear))[-1] == 249
        until = time.monotonic() + 20
        while "exporting fills: " not in terminal.getvalue() and time.monotonic() < until:
            hear("exporting fills: 200 so far")
            time.sleep(0.02)
    told = terminal.getvalue()
    assert re.search(r"exporting fills: [12]00 so far .*0:00:0", told)
    assert told.endswith("\x1b[2K"), "nothing of it stays"
    assert told.rindex("\x1b[?25h") > told.rindex("\x1b[?25l"), "the cursor is back"


def test_work_that_ends_at_once_shows_nothing(
    terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bars, "SHORT", 60.0)
    with pytest.raises(KeyboardInterrupt), busy("reading the journal"):
        raise KeyboardInterrupt
    assert terminal.getvalue() == ""


def test_nothing_is_shown_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with busy("reading the journal") as hear:
        hear("far")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("before", [None, "what was there\n"])
@pytest.mark.parametrize("ends", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_is_ended_leaves_what_was_there(
    tmp_path: Path, before: str | None, ends: BaseException | type[BaseException]
) -> None:
    path = tmp_path / "fills.csv"
    if before is not None:
        path.write_text(before)

    def write() -> None:
        with whole(path) as beside:
            beside.write_text("half of")
            raise ends

    with pytest.raises((KeyboardInterrupt, OSError)) as raised:
        write()
    assert [one.name for one in tmp_path.iterdir()] == ([] if before is None else ["fills.csv"])
    assert before is None or path.read_text() == before
    if isinstance(raised.value, OSError):
        assert str(raised.value) == f"[Errno 28] No space left on device: '{path}'"


def test_what_is_whole_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    path, link = tmp_path / "fills.csv", tmp_path / "link.csv"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    with whole(link) as beside:
        beside.write_text("new")
    assert (path.read_text(), link.is_symlink(), path.stat().st_mode & 0o777) == (
        "new",
        True,
        0o640,
    )
    with whole(Path("/dev/null")) as same:
        assert same == Path("/dev/null")


def test_an_export_that_is_ended_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.cli import export

    def rows() -> Iterator[dict[str, object]]:
        yield {"id": "A"}
        raise KeyboardInterrupt

    output = tmp_path / "fills.csv"
    with pytest.raises(KeyboardInterrupt):
        export._write_file(rows(), output, export.Wanted("fills", "csv", output, False, ""), ["id"])
    assert list(tmp_path.iterdir()) == []
