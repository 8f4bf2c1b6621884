"""The one table: every key of the design is in it, everything made of it is complete, and people may change it."""

from tests.console.conftest import Staged
from tui.commands import BY_ID, COMMANDS
from tui.keys import KeyMap, split

DESIGNED = "1 2 3 4 5 j k g G / s enter n x X m b t v c C p F a ! : y e T ? q"


def test_every_key_of_the_design_is_in_the_table() -> None:
    bound = {key for command in COMMANDS for key in split(command.key)}
    assert {key for wanted in DESIGNED.split() for key in split(wanted)} <= bound


def test_ids_and_keys_are_unique() -> None:
    assert len(BY_ID) == len(COMMANDS)
    keys = [key for command in COMMANDS for key in split(command.key)]
    assert len(keys) == len(set(keys))


def test_no_binding_has_priority() -> None:
    assert not any(binding.priority for binding in KeyMap(COMMANDS, {}).bindings(COMMANDS))


async def test_the_help_lists_every_command(staged: Staged) -> None:
    async with staged((120, 60)) as stage:
        await stage.press("?")
        await stage.frames(0.4)
        for command in COMMANDS:
            assert command.words in stage.text, command.id


async def test_help_scrolls_where_it_does_not_fit(staged: Staged) -> None:
    async with staged((80, 24)) as stage:
        await stage.press("?")
        await stage.frames(0.4)
        await stage.press(*["space"] * 6)
        assert "quit; lists what stays open" in stage.text


async def test_a_command_that_cant_be_done_says_why(staged: Staged) -> None:
    async with staged() as stage:
        stage.session.positions, stage.session.orders, stage.session.alerts = [], [], []
        stage.session.read_only = True
        await stage.frames()
        for command in COMMANDS:
            why = command.availability(stage.app.main.context())
            if why is not None and command.key:
                stage.app.main.say("")
                await stage.press(split(command.key)[0])
                assert why in stage.text, command.id
        assert not stage.asked


async def test_keys_can_be_mapped_by_id(staged: Staged) -> None:
    async with staged(keys={"close": "f4", "cancel": "x", "pause": "c"}) as stage:
        assert "F4 Close" in stage.text or "f4 Close" in stage.text
        await stage.open("f4")
        assert "closes BTC/USD at market" in stage.text
        await stage.press("escape")
        await stage.press("c")
        assert [type(i).__name__ for i in stage.asked] == ["Pause"]


async def test_a_bad_key_map_is_one_clear_message_and_none_of_it_is_used(staged: Staged) -> None:
    async with staged(keys={"close": "c", "launch": "z"}) as stage:
        assert "key map not used: no command is called 'launch'; c is both close and cancel" in stage.text
        await stage.open("x")
        assert "closes BTC/USD" in stage.text
