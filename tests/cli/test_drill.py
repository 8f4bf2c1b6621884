"""`flatout drill`: the list with what came of each, and where none is played."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.rehearsal.drills.grade import Grade
from engine.rehearsal.drills.results import keep
from tui.cli import main


def drill(home: Path, *words: str, before: tuple[str, ...] = ()) -> Result:
    return CliRunner().invoke(main, ["--home", str(home), *before, "drill", *words])


def test_the_list_says_what_came_of_each(tmp_path: Path) -> None:
    for points, letter in ((62, "C"), (91, "A"), (70, "C")):
        keep(tmp_path, Grade("crash", 1, "flat", True, 1.0, 2.0, 0.0, 1.0, (), points, letter))
    told = drill(tmp_path)
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert len([line for line in lines if line.endswith("not tried yet")]) == 9
    (crash,) = [line for line in lines if " crash " in line]
    assert crash.endswith("3 times, best A, 91 of 100, last C, 70 of 100")


@pytest.mark.parametrize(
    ("before", "words", "says"),
    [
        ((), ("nonsense",), "no drill is called 'nonsense': lost-reply,"),
        (("--account", "main"), ("crash",), "never played on another one"),
        (("--set", "account.venue=kraken"), ("crash",), "never played on another one"),
        ((), ("crash",), "needs a terminal"),
    ],
)
def test_where_no_drill_is_played(
    tmp_path: Path, before: tuple[str, ...], words: tuple[str, ...], says: str, capfd: object
) -> None:
    told = drill(tmp_path, *words, before=before)
    err = capfd.readouterr().err  # type: ignore[attr-defined]
    assert told.exit_code == 2, told.output
    assert says in told.output + err
    assert [path.name for path in tmp_path.iterdir()] == [], "it left something behind"
