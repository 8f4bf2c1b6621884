"""The ticket with templates: three keys to a bracket, fields that typing replaces, a template that
is saved, and a card that scrolls under the strip.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.model import intent as i
from engine.model.order import OrderType, Trail
from engine.model.refusal import Refusal
from engine.model.side import Side
from engine.model.templates import Templates, TemplateSettings
from engine.setup.settings import load
from engine.setup.template_file import keep
from tests.console.conftest import Stage, Staged
from tui.field import Field
from tui.flows.ticket import Ticket

D = Decimal
SCALP = TemplateSettings(
    size="risk 0.5%",
    stop="0.5%",
    targets=("1r 50%", "2r rest"),
    be="after 1r +2t",
    trail="0.4% after 2r",
    expire="10m",
    post=True,
)
SWING = TemplateSettings(size="0.25", stop="2%", type="market", tags=("swing",), note="for days")
KNOWN = Templates({"scalp": SCALP, "swing": SWING}, {"BTC/USD": "scalp"})
NONE = Templates({"scalp": SCALP, "swing": SWING})


def values(stage: Stage) -> dict[str, str]:
    return {field.id or "": field.value for field in stage.app.screen.query(Field)}


@pytest.mark.parametrize(("key", "side"), [("w", Side.BUY), ("o", Side.SELL)])
async def test_three_keys_to_a_bracket_with_a_template(
    staged: Staged, key: str, side: Side
) -> None:
    async with staged((120, 40), templates=KNOWN) as stage:
        await stage.open(key)
        await stage.shows("0.4% after 2r")
        assert not stage.asked
        await stage.open("enter")
        await stage.shows(f"{side.name} BTC/USD: enter again places it")
        assert not stage.asked, "the first enter only shows that it is meant"
        await stage.press("enter")
        intent = await stage.one_asked()
        assert isinstance(intent, i.OpenBracket)
        assert intent == i.OpenBracket(
            id=intent.id,
            symbol="BTC/USD",
            side=side,
            size=i.EquityRisk(D("0.005")),
            type=OrderType.LIMIT,
            anchored=i.Anchored(i.Anchor.JOIN),
            stop=i.Away(D("0.005")),
            target=i.InR(D(2)),
            partials=(i.PartialTarget(i.InR(D(1)), D("0.5")),),
            break_even=i.BreakEvenRule(i.InR(D(1)), 2),
            trail=Trail(fraction=D("0.004"), begins=i.InR(D(2))),
            expires_in=600_000_000_000,
            post_only=True,
            template="scalp",
        )


async def test_what_a_template_has_written_is_replaced_by_typing(staged: Staged) -> None:
    async with staged((120, 40), templates=KNOWN) as stage:
        await stage.open("w")
        await stage.type("320")
        await stage.press("tab", "tab", "backspace")
        await stage.press("tab", "end")
        await stage.type("x")
        found = values(stage)
        assert (found["amount"], found["stop"], found["target"]) == ("320", "", "1r 50%, 2r restx")


async def test_a_field_chooses_another_template_and_keeps_what_was_typed(staged: Staged) -> None:
    async with staged((120, 40), templates=NONE) as stage:
        await stage.open("n")
        assert values(stage)["amount"] == "", "the symbol has none of its own"
        await stage.press("tab")
        await stage.type("7")
        await stage.press(*["tab"] * 13, "right")
        found = values(stage)
        assert (found["amount"], found["stop"], found["even"]) == ("7", "0.5%", "after 1r +2t")
        await stage.press("right")
        found = values(stage)
        assert (found["amount"], found["stop"], found["even"]) == ("7", "2%", "")
        assert (found["tags"], found["note"]) == ("swing", "for days")
        await stage.press("right")
        found = values(stage)
        assert (found["amount"], found["stop"], found["tags"]) == ("7", "", "")


async def test_a_ticket_is_saved_as_a_template_and_the_file_keeps_its_comments(
    staged: Staged, tmp_path: Path
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("# mine\n[risk]\nmax_positions = 3  # few\n")
    known = Templates()

    def kept(name: str, template: TemplateSettings) -> str:
        try:
            keep(path, name, template)
        except Exception as error:
            return str(error)
        return ""

    async with staged((120, 40), templates=known, keep_template=kept) as stage:
        await stage.open("w")
        await stage.type("0.5%")
        await stage.press("tab", "tab")
        await stage.type("1%")
        await stage.press("tab")
        await stage.type("1r half, 2r rest")
        await stage.press(*["tab"] * 11)
        await stage.type("Own!")
        await stage.open("enter")
        await stage.shows("not saved")
        await stage.clear()
        await stage.type("own")
        await stage.open("enter")
        await stage.shows("template own saved")
        assert not stage.asked, "enter in that field places nothing"
    assert "# few" in path.read_text()
    loaded = load(path, (), {})
    assert not loaded.faults
    assert loaded.settings.templates["own"] == known.by_name["own"]
    assert known.by_name["own"] == TemplateSettings(
        size="risk 0.5%", type="market", stop="1%", targets=("1r half", "2r rest")
    )


async def test_the_card_scrolls_under_the_strip_and_above_the_line_of_keys(
    staged: Staged,
) -> None:
    async with staged((80, 24), templates=KNOWN) as stage:
        stage.session.preview_refusals = tuple(
            Refusal("SIZE_BELOW_MINIMUM", f"0.0000{n}", "0.0001") for n in range(1, 9)
        )
        await stage.open("w")
        await stage.shows("more ↓ pgdn")
        assert "naked" in stage.text.splitlines()[0].casefold(), "the strip stays"
        assert "reviews it" in stage.text
        assert "✗ the size 0.00001" in stage.text, "what is broken comes first"
        assert "day's loss budget" not in stage.text
        for _ in range(4):
            await stage.press("pagedown")
        await stage.shows("pgup ↑")
        assert "could not be protected" in stage.text
        assert "naked" in stage.text.splitlines()[0].casefold()


async def test_what_cannot_be_read_is_said_by_its_field(staged: Staged) -> None:
    async with staged((120, 40), templates=NONE) as stage:
        await stage.open("w")
        await stage.type("0,5")
        await stage.shows("risk: 'risk 0,5' is no size")
        await stage.clear()
        await stage.type("0.5")
        await stage.press(*["tab"] * 10)
        await stage.type("soon")
        await stage.shows("break-even: 'soon' is no place")


async def test_a_template_that_is_left_out_stands_in_the_banner(staged: Staged) -> None:
    fault = "settings.toml:3: templates.bad.stop is '0,5%'; the template bad is left out"
    async with staged((120, 40), faults=(fault,)) as stage:
        await stage.shows("the template bad is left out")
        await stage.press("a")
        await stage.shows("acknowledged: settings.toml:3")


async def test_in_little_room_the_chosen_word_is_shown(staged: Staged) -> None:
    async with staged((60, 16)) as stage:
        await stage.open("w")
        ticket = stage.app.screen
        assert isinstance(ticket, Ticket)
        for word in ("stop", "market", "limit"):
            ticket.fields.type.choose(word)
            ticket.fields.unit.choose("notional")
            await stage.frames(0.15)
            row = next(line for line in stage.text.splitlines() if " type " in line)
            assert f" {word} " in row
            assert " notional " in stage.text
