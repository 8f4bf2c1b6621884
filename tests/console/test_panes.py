"""What the panes show beside positions and orders: the record, the watchlist, the limits; and what a
pane says of that for which it has no room.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.clock import SECOND
from engine.model import intent as i
from engine.model.alert import Alert
from engine.model.position import Protection
from engine.model.side import Side
from engine.model.telling import KINDS
from engine.model.view import Preview, PreviewLine
from tests.console.conftest import Stage, Staged
from tests.console.sample import T0, SampleSession, position
from tui.columns import Column
from tui.costs import Told, cost_of, waits_of
from tui.detail import detail_line, dropped
from tui.panes.pane import whole
from tui.record import GROUPS, KEPT, Record
from tui.widths import PATIENCE, Widths


def activity(stage: Stage) -> list[str]:
    """The texts of the record, top to bottom."""
    return [row.text for row in stage.app.main.board.activity.rows()]


async def test_the_record_is_newest_first_below_the_alerts_that_stand(stage: Stage) -> None:
    stage.session.tell("buy 0.250 BTC/USD placed", kind="placed")
    stage.session.tell("stop-out of ETH/USD", kind="stopped")
    await stage.shows("stop-out of ETH/USD")
    texts = activity(stage)
    assert "has no stop" in texts[0]
    assert "order rejected" in texts[1]
    assert texts[2:4] == ["stop-out of ETH/USD", "buy 0.250 BTC/USD placed"]
    await stage.shows("2 alerts stand")


async def test_a_line_that_goes_on_takes_the_place_of_its_beginning(stage: Stage) -> None:
    stage.session.tell("filled 0.1 of 2", kind="fill")
    first = stage.session.notices[-1].seq
    await stage.shows("filled 0.1 of 2")
    stage.session.tell("filled 1.9 of 2", kind="fill")
    stage.session.notices[-1] = replace(stage.session.notices[-1], line=first)
    await stage.shows("filled 1.9 of 2")
    assert "filled 0.1 of 2" not in activity(stage)


async def test_the_record_keeps_what_the_engine_has_forgotten(stage: Stage) -> None:
    for number in range(3):
        for each in range(40):
            stage.session.tell(f"line {number}.{each}")
        await stage.frames(0.3)
    assert "line 0.0" in activity(stage)


async def test_another_engine_counts_anew_and_what_was_told_stays(stage: Stage) -> None:
    stage.session.tell("of the first engine")
    stage.session.tell("and more of it")
    await stage.shows("and more of it")
    stage.session.notices.clear()
    stage.session.tell("of the second engine")
    stage.session.notices[-1] = replace(stage.session.notices[-1], seq=1, line=1)
    await stage.frames(0.3)
    assert [text for text in activity(stage) if "engine" in text] == [
        "of the second engine",
        "of the first engine",
    ]


@pytest.mark.parametrize(
    ("word", "there", "away"),
    [("fills", "target hit", "buy placed"), ("orders", "buy placed", "target hit"),
     ("alerts", "has no stop", "target hit"), ("target", "target hit", "buy placed")],
)  # fmt: skip
async def test_the_record_is_filtered_by_kind(
    stage: Stage, word: str, there: str, away: str
) -> None:
    stage.session.tell("target hit", kind="target")
    stage.session.tell("buy placed", kind="placed")
    await stage.press("8", "/")
    await stage.type(word)
    await stage.press("enter")
    texts = " ".join(activity(stage))
    assert there in texts
    assert away not in texts
    await stage.press("escape")
    assert away in " ".join(activity(stage))


def test_words_of_the_filter_name_kinds_that_there_are() -> None:
    from engine.model.telling import names

    for kinds in GROUPS.values():
        assert kinds <= set(names()), kinds - set(names())
    assert KINDS


def test_the_record_is_bounded() -> None:
    from tests.console.sample import SampleSession

    session, record = SampleSession(), Record()
    for index in range(KEPT + 30):
        session.tell(f"line {index}")
        record.read(session.view())
    assert len(list(record.newest_first())) == KEPT


async def test_a_line_of_the_record_opens_the_timeline_of_what_it_is_about(stage: Stage) -> None:
    stage.session.tell("stop moved", kind="moved")
    stage.session.notices[-1] = replace(stage.session.notices[-1], position="P2")
    await stage.shows("stop moved")
    await stage.press("8", "j", "j", "enter")
    await stage.shows("About P2")


async def test_alerts_that_stand_colour_the_tab(staged: Staged) -> None:
    async with staged((80, 24)) as stage:
        await stage.shows("8 Activity 2")
        stage.session.alerts = []
        await stage.frames(0.3)
        assert "8 Activity 2" not in stage.text


async def test_the_watchlist_shows_each_price_and_what_is_held(staged: Staged) -> None:
    async with staged((200, 60)) as stage:
        await stage.shows("6 Watch")
        for said in ("62,063.3", "62,063.4", "3,421.40", "24h"):
            await stage.shows(said)
        await stage.press("6", "G")
        await stage.shows("held LONG 1.500 ✗")


async def test_one_key_goes_from_symbol_to_symbol(stage: Stage) -> None:
    await stage.press(">")
    await stage.shows("4 Chart  ETH/USD")
    assert stage.app.main.board.positions.selected == "P2"
    await stage.press(">")
    await stage.shows("4 Chart  SOL/USD")
    await stage.press(">")
    await stage.shows("4 Chart  BTC/USD")
    await stage.press("<")
    await stage.shows("4 Chart  SOL/USD")
    assert stage.app.main.context().symbol == "SOL/USD"


async def test_a_symbol_that_nothing_is_held_in_can_be_the_focus(stage: Stage) -> None:
    stage.session.positions = [stage.session.positions[0]]
    await stage.frames(0.2)
    await stage.press(">")
    await stage.shows("4 Chart  ETH/USD")
    here = stage.app.main.context()
    assert here.symbol == "ETH/USD"
    assert here.position is not None, "the selected row is still what x closes"
    assert here.position.symbol == "BTC/USD"


async def test_another_selection_ends_the_focus_that_was_chosen(stage: Stage) -> None:
    await stage.press(">", ">", "g")
    await stage.shows("4 Chart  BTC/USD")


async def test_enter_in_the_watchlist_makes_its_symbol_the_focus(stage: Stage) -> None:
    await stage.press("6", "j")
    here = stage.app.main.context()
    assert here.symbol == "ETH/USD", "keys act on the row under the cursor"
    assert here.position is not None
    assert here.position.id == "P2"
    await stage.shows("4 Chart  BTC/USD")
    await stage.press("enter")
    await stage.shows("4 Chart  ETH/USD")
    await stage.press("1")
    assert stage.app.main.context().symbol == "ETH/USD"


async def test_the_limits_pane_says_when_a_flatten_leaves_and_what_keys_cost(
    staged: Staged,
) -> None:
    async with staged((200, 60)) as stage:
        for said in ("41/60", "flatten now", "queue empty  venue link ok", "loss limit left"):
            await stage.shows(said)
        await stage.shows("at stops         UNBOUNDED")


async def test_the_footer_says_what_keys_cost_and_when_a_flatten_would_have_left(
    staged: Staged, session: SampleSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = session.preview

    def preview(intent: i.AnyIntent) -> Preview:
        tokens = {i.ClosePosition: 3, i.MoveStop: 2, i.BreakEven: 1, i.CancelOrder: 8, i.Flatten: 9}
        if not intent.id.startswith("costs-"):
            return before(intent)
        needed, left = f"{tokens[type(intent)]} needed", "3 of 60 free: in 4.0 s"
        return Preview("", (PreviewLine("tokens BTC/USD", needed, left, section="tokens"),))

    monkeypatch.setattr(session, "preview", preview)
    async with staged((120, 40)) as stage:
        await stage.shows("x Close 3  c Cancel  m Stop 2  b Break-even 1")
        await stage.shows("F9 FLATTEN in 4.0 s")
        await stage.press("2")
        await stage.shows("c Cancel 8")


def test_a_flatten_waits_for_the_counter_that_is_last() -> None:
    waits = {"BTC/USD": "now", "ETH/USD": "in 12.0 s", "rest": "in 4.0 s"}
    assert Told(waits).flatten == "in 12.0 s"
    assert Told({"rest": "now", "x": "the venue is asked nothing"}).flatten == "now"
    assert Told().flatten == ""


def test_waits_and_costs_are_read_from_the_cards() -> None:
    def line(name: str, needed: str, left: str) -> PreviewLine:
        return PreviewLine(name, needed, left, section="tokens")

    card = Preview(
        "",
        (
            PreviewLine("size", "1 needed", "x: now"),
            line("tokens BTC/USD", "9 needed", "3 of 60 free: in 4.0 s"),
            line("tokens rest", "2 needed", "15 of 15 free: now"),
        ),
    )
    assert waits_of(card) == {"BTC/USD": "in 4.0 s", "rest": "now"}
    assert cost_of(card) == "9"
    nothing = Preview("", (line("tokens", "", "none: the venue is asked nothing"),))
    assert (waits_of(nothing), cost_of(nothing)) == ({"tokens": "the venue is asked nothing"}, "")
    assert (waits_of(None), cost_of(None)) == ({}, "")


# what there is no room for

COLUMNS: tuple[Column[str], ...] = (
    Column("name", lambda r, _: (r, "plain"), 1, 4, left=True),
    Column("price", lambda r, _: ("62,063.3", "plain"), 5, 8),
    Column("size", lambda r, _: ("0.5", "plain"), 3, 4),
    Column("note", lambda r, _: ("", "plain"), 9, 4),
)


def test_columns_without_room_are_told_in_the_order_of_their_weight() -> None:
    cells = [column.cell("P1", 0) for column in COLUMNS]
    parts = dropped(COLUMNS, cells, {"name"})
    assert [title for title, _ in parts] == ["size", "price"]
    line, told = detail_line("P1", parts, 40)
    assert ("".join(text for text, _ in line), told) == (" P1  size 0.5  price 62,063.3", 2)


@pytest.mark.parametrize("room", range(40))
def test_the_line_below_cuts_no_number(room: int) -> None:
    parts = dropped(COLUMNS, [column.cell("P1", 0) for column in COLUMNS], {"name"})
    line, told = detail_line("P1", parts, room)
    said = "".join(text for text, _ in line)
    assert told == ("0.5" in said) + ("62,063.3" in said)
    assert not told or len(said) <= room


@pytest.mark.parametrize("room", range(1, 40))
def test_a_line_of_a_pane_cuts_no_number(room: int) -> None:
    line = ((" drawdown ", "dim"), ("−41.20", "plain"), ("  deepest −96.10", "dim"))
    said = "".join(text for text, _ in whole(line, room))
    assert len(said) <= room
    for number in ("−41.20", "−96.10"):
        assert (
            number in said
            or not any(c.isdigit() for c in said.partition("deepest")[2])
            or (number == "−41.20")
        )
    assert "41" not in said or "−41.20" in said


def test_columns_grow_at_once_and_shrink_after_five_seconds() -> None:
    widths = Widths(COLUMNS)
    wide, narrow = [("a long name", "plain")], [("P1", "plain")]
    rest: list[tuple[str, str]] = [("", "")] * 3
    assert widths.fit([[*wide, *rest]], 0)
    assert widths.by_title["name"] == 11
    assert not widths.fit([[*narrow, *rest]], SECOND)
    assert not widths.fit([[*narrow, *rest]], SECOND + PATIENCE - 1)
    assert widths.by_title["name"] == 11
    assert widths.fit([[*narrow, *rest]], SECOND + PATIENCE)
    assert widths.by_title["name"] == 4


async def test_a_column_shrinks_again_on_the_screen(stage: Stage) -> None:
    stage.session.change("P2", stop_wanted=Decimal("3490.80"))
    await stage.shows("3,491.80→3,490.80")
    stage.session.change("P2", stop_wanted=Decimal("3491.80"))
    await stage.frames(0.3)
    wide = stage.text.splitlines()[1 + 1].index("where")
    stage.session.later = 7 * SECOND
    await stage.frames(0.3)
    stage.session.later = 14 * SECOND
    await stage.frames(0.3)
    assert stage.text.splitlines()[2].index("where") < wide


async def test_what_is_broken_comes_to_the_top_of_a_list_that_cant_show_all(
    staged: Staged,
) -> None:
    async with staged((80, 24)) as stage:
        assert stage.app.main.board.positions.keys == ["P1", "P2", "P3"]
        stage.session.positions += [
            position(f"L{i}", f"C{i}/USD", Side.BUY, "1", "10", "11", "9") for i in range(20)
        ]
        await stage.shows("more ↓")
        assert stage.app.main.board.positions.keys[:2] == ["P3", "P1"]
        await stage.shows("NAKED ✗")


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (160, 50), (200, 60)])
async def test_every_line_that_is_missing_is_counted(staged: Staged, size: tuple[int, int]) -> None:
    async with staged(size) as stage:
        stage.session.positions = [
            position(f"L{i}", f"C{i}/USD", Side.BUY, "1", "10", "11", "9") for i in range(40)
        ]
        await stage.shows("more ↓")
        grid = stage.app.main.board.positions
        await stage.shows(f"{40 - grid.room} more ↓")
        await stage.press("G")
        await stage.shows("C39/USD")
        await stage.frames(0.3)
        assert f"{40 - grid.room} more ↓" not in stage.text


async def test_what_protects_never_drops_at_80(staged: Staged) -> None:
    async with staged((80, 24)) as stage:
        stage.session.change("P3", protection=Protection.PARTIAL)
        stage.session.change(
            "P1", note="a long note that nobody has room for", size=Decimal("12345.678")
        )
        await stage.frames(0.3)
        head = stage.text.splitlines()[2]
        for title in ("symbol", "side", "size", "net", "stop", "where", "at stop"):
            assert title in head
        await stage.shows("PARTIAL ✗")


async def test_an_alert_in_the_record_is_acknowledged_where_it_stands(stage: Stage) -> None:
    stage.session.alerts.append(
        Alert("DUST", "XRP/USD", "0.001", T0 - 5 * SECOND, target="P9"),
    )
    await stage.frames(0.2)
    await stage.press("8", "j", "j")
    alert = stage.app.main.context().alert
    assert alert is not None
    assert alert.code == "DUST"
