"""`flatout do`: lines of the command line without a console, on a paper account of its own."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.custody import Place
from tui.cli import main

pytestmark = pytest.mark.slow


TIER = ("--set", 'account.limits={ tier = "pro" }')
"""Each command is an engine of its own and asks for the whole account: more than a starter may."""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "home", tmp_path / "settings.toml")


def do(place: Place, *words: str, text: str | None = None) -> Result:
    if not place.settings.exists():
        place.settings.write_text('[commands]\nout = "close all; wait flat within 30s"\n')
    command = ["--settings", str(place.settings), "--home", str(place.home)]
    command += ["--set", "account.venue=paper", *TIER, "do", *words]
    return CliRunner().invoke(main, command, input=text)


def test_a_day_in_a_script(place: Place) -> None:
    told = do(place, "--dry-run", "buy btc 0.05 stop -1% target 1r half, 2r rest")
    assert told.exit_code == 0, told.output
    assert "risk (1R)" in told.output
    needs = do(place, "buy btc 0.05 stop -1%")
    assert needs.exit_code == 1
    assert "nothing was done: say --yes to do it" in needs.output
    line = "buy btc 0.05 stop -1%; wait filled within 10s; trail 0.4%"
    done = do(place, "--yes", "--id", "morning", line)
    assert (done.exit_code, done.output[:1]) == (0, "✓"), done.output
    assert "BTC/USD long: trail LOCAL, and no engine runs from now on" in done.output
    again = do(place, "--yes", "--id", "morning", line)
    assert again.exit_code == 0, again.output
    assert "1 position" in do_status(place) or "size" in do_status(place)
    refused = do(place, "stop btc 10", "close all")
    assert refused.exit_code == 1
    assert "a wider stop needs a reason" in refused.output
    flat = do(place, "out", "export blotter")
    assert flat.exit_code == 0, flat.output
    assert "exported 1 row of blotter" in flat.output


def do_status(place: Place) -> str:
    """How many positions there are, as one line that closes none says."""
    told = do(place, "--dry-run", "--json", "close all")
    [row] = json.loads(told.output)
    [part] = row["parts"]
    assert len(part["intents"]) == 1, "asked twice under one id, it was done once"
    return str(part["previews"])


def test_what_can_not_be_read_is_exit_code_2_before_anything_is_done(place: Place) -> None:
    told = do(place, "pause", "by btc 1")
    assert told.exit_code == 2
    assert told.output.splitlines() == [
        "flatout do: unknown command “by”; did you mean buy?",
        "  by btc 1",
        "  ^^",
    ]
    for words in (
        ("theme dark",),
        ("cancel wait",),
        (),
        ("-f", "none-such"),
        ("--symbol", "x", "close"),
    ):
        assert do(place, *words).exit_code == 2, words


def test_a_file_of_lines(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_text("# the morning\npause\n\ncancel all   \nresume\n")
    told = do(place, "-f", str(file))
    assert told.exit_code == 0, told.output
    assert told.output.splitlines()[1] == "✓ cancel all: no entry is open"
    file.write_text("pause\nbuy btc 0,5\n")
    wrong = do(place, "-f", str(file))
    assert wrong.exit_code == 2
    assert f"{file}:2: use a point for decimals: 0.5" in wrong.output
    assert do(place, "-f", "-", text="pause; resume\n").exit_code == 0


def test_json_says_all_of_it(place: Place) -> None:
    told = do(place, "--json", "pause; resume")
    [row] = json.loads(told.output)
    assert (row["line"], row["outcome"], row["confirm"]) == ("pause; resume", "done", "enter")
    assert row["parts"][0]["intents"][0]["intent"] == "pause"


def test_a_symbol_is_added_and_traded_and_the_last_exit_knows_it(place: Place) -> None:
    done = do(place, "--yes", "watch add doge; buy doge 5000 stop -1%; wait filled within 10s")
    assert done.exit_code == 0, done.output
    assert "DOGE/USD is watched until this engine ends" in done.output
    again = do(place, "--dry-run", "--json", "close doge")
    assert again.exit_code == 0, "it is held, so it is watched by the next engine, too"
    flat = CliRunner().invoke(
        main,
        ["--settings", str(place.settings), "--home", str(place.home), "flatten", "--yes"],
    )
    assert flat.exit_code == 0, flat.output
    assert "DOGE/USD" in flat.output
    refused = do(place, "watch add ethh", "pause")
    assert refused.exit_code == 1
    assert "unknown symbol “ethh”; allowed: ETH/USD" in refused.output
