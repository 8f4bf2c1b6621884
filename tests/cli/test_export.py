"""`flatout export`: what was traded, for a spreadsheet, another journal, a tax return."""

import csv
import io
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.model import blotter
from engine.model import intent as i
from engine.model.side import Side
from tests.support.world import BTC, Tale, World, play
from tui.cli import main
from tui.cli.export import WHAT

D = Decimal
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def export(home: Path, *words: str) -> Result:
    (home / "none.toml").touch()
    common = ["--settings", str(home / "none.toml"), "--home", str(home)]
    common += ["--account", "world", "--set", "account.venue=paper"]
    return CliRunner().invoke(main, [*common, "export", *words])


def rows(home: Path, *words: str) -> list[dict[str, str]]:
    told = export(home, *words)
    assert told.exit_code == 0, told.output
    return list(csv.DictReader(io.StringIO(told.stdout)))


@pytest.fixture
def traded(tmp_path: Path) -> Path:
    """A long and a short that ended, and an order that was refused."""

    async def tale(world: World) -> None:
        for name, side in (("l", Side.BUY), ("s", Side.SELL)):
            entry = i.OpenBracket(
                id=name, symbol=BTC, side=side, size=i.Base(D("0.5")), stop=i.Away(D("0.05"))
            )
            position = (await world.ask(entry)).created
            await world.wait(5)
            assert world.state.positions[position].size > 0
            await world.wait(70)
            await world.ask(i.ClosePosition(id=f"{name}-c", position=position))
            await world.wait(5)
            assert position in world.state.closed
        huge = i.OpenBracket(
            id="huge", symbol=BTC, side=Side.BUY, size=i.Base(D(10**9)), stop=i.Away(D("0.05"))
        )
        assert not (await world.ask(huge)).ok

    return played(tale, tmp_path)


def played(tale: Tale, folder: Path) -> Path:
    """The home in which a story was told on paper."""
    home = folder / "home"
    (home / "world").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    (home / "world" / "paper.sqlite").touch()
    play(tale, home / "world")
    return home


def test_trades_refusals_and_snapshots(traded: Path) -> None:
    trades = rows(traded, "trades")
    positions = {row["id"]: row for row in rows(traded, "positions")}
    assert [row["side"] for row in trades] == ["buy", "sell"]
    assert all(row["realised_pnl"] == positions[row["id"]]["realised_pnl"] for row in trades)
    refusals = rows(traded, "refusals")
    assert {row["intent"] for row in refusals} == {"huge"}
    assert {row["symbol"] for row in refusals} == {BTC}
    snapshots = rows(traded, "snapshots")
    assert {row["position"] for row in snapshots} == set(positions)
    assert snapshots[-1]["size"] == "0"
    [day] = rows(traded, "daily")
    total = sum((D(row["realised_pnl"]) for row in trades), D(0))
    assert abs(D(day["realised_pnl"]) - total) < D("1e-8")
    [fees] = rows(traded, "fees")
    assert fees["fills"] == "4"


@pytest.mark.parametrize("what", WHAT)
def test_times_are_iso_where_they_are_asked_for(traded: Path, what: str) -> None:
    plain, iso = rows(traded, what), rows(traded, what, "--iso")
    assert len(plain) == len(iso)
    for before, after in zip(plain, iso, strict=True):
        for name in before:
            if (name == "at" or name.endswith("_at")) and before[name] and name != "at_stop":
                assert ISO.fullmatch(after[name]), (what, name)
            else:
                assert after[name] == before[name]


@pytest.mark.parametrize("what", WHAT)
def test_an_empty_file_has_its_header(tmp_path: Path, what: str) -> None:
    async def nothing(world: World) -> None:
        """Nothing is traded."""

    home = played(nothing, tmp_path)
    told = export(home, what)
    assert told.exit_code == 0, told.output
    header = told.stdout.splitlines()[0].split(",")
    assert len(header) > 1
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is an extra")
    path = tmp_path / "rows.parquet"
    assert export(home, what, "--format", "parquet", "-o", str(path)).exit_code == 0
    assert parquet.read_table(path).column_names == header


def test_the_blotters_columns_are_those_of_its_rows(traded: Path) -> None:
    told = json.loads(export(traded, "blotter", "--format", "json").stdout)
    assert tuple(told[0]) == blotter.FIELDS


def test_tradervue_takes_executions(traded: Path) -> None:
    lines = export(traded, "fills", "--layout", "tradervue").stdout.splitlines()
    assert lines[0] == "Date,Time,Symbol,Quantity,Price,Side,Commission"
    told = rows(traded, "fills", "--layout", "tradervue")
    fills = rows(traded, "fills")
    assert [row["Side"] for row in told] == ["Buy", "Sell", "Sell", "Buy"]
    for row, fill in zip(told, fills, strict=True):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["Date"])
        assert re.fullmatch(r"\d\d:\d\d:\d\d", row["Time"])
        assert row["Symbol"] == "BTCUSD"
        assert (row["Quantity"], row["Price"]) == (fill["size"], fill["price"])
        assert D(row["Commission"]) == D(fill["fee_value"]) > 0


def test_tradezella_takes_executions(traded: Path) -> None:
    told = rows(traded, "fills", "--layout", "tradezella")
    assert [row["Buy/Sell"] for row in told] == ["Buy", "Sell", "Sell", "Buy"]
    assert {(row["Spread"], row["Strike"]) for row in told} == {("Crypto", "")}
    assert all(re.fullmatch(r"\d\d/\d\d/\d\d", row["Date"]) for row in told)


def test_a_tax_return_gets_cost_proceeds_and_a_gain_that_is_their_difference(traded: Path) -> None:
    told = rows(traded, "trades", "--layout", "tax")
    trades = rows(traded, "trades")
    assert len(told) == 2
    for row, trade in zip(told, trades, strict=True):
        assert D(row["Proceeds"]) - D(row["Cost basis"]) == D(row["Gain or loss"])
        assert D(row["Gain or loss"]) == D(trade["realised_pnl"])
        assert row["Reference"] == trade["id"]
    assert told[0]["Description"] == "0.5 BTC/USD long"
    assert D(told[0]["Cost basis"]) == D(trades[0]["size"]) * D(trades[0]["entry_price"])
    assert D(told[1]["Proceeds"]) == D(trades[1]["size"]) * D(trades[1]["entry_price"])


def test_a_layout_of_something_else_is_refused(traded: Path) -> None:
    told = export(traded, "orders", "--layout", "tax")
    assert (told.exit_code, told.output) == (2, "flatout export: --layout tax is of trades\n")
