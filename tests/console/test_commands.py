"""The one table: every key of the design is in it, everything made of it is complete, and people may change it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


MAPS: list[tuple[dict[str, str], dict[str, str], list[str]]] = [
    ({"close": "c"}, {"close": "x", "cancel": "c"}, ["console.keys.close = 'c' is not used: c is cancel; x stays"]),
    ({"close": "c", "cancel": "x"}, {"close": "c", "cancel": "x"}, []),
    ({"launch": "z"}, {"close": "x"}, ["console.keys.launch = 'z' is not used: no command is called 'launch'"]),
    ({"flaten": "f4"}, {"flatten": "F"}, ["console.keys.flaten = 'f4' is not used: no command is called 'flaten'; did you mean flatten?"]),
    ({"flatten": ""}, {"flatten": "F"}, ["console.keys.flatten = '' is not used: it is no key; F stays"]),
    ({"flatten": "hyper+q"}, {"flatten": "F"}, ["console.keys.flatten = 'hyper+q' is not used: 'hyper+q' is no key; F stays"]),
    ({"flatten": "tab"}, {"flatten": "F"}, ["console.keys.flatten = 'tab' is not used: tab is the console's own; F stays"]),
    ({"pause": "F"}, {"pause": "p", "flatten": "F"}, ["console.keys.pause = 'F' is not used: F is flatten; p stays"]),
    (
        {"pause": "F", "flatten": "x", "close": "f4"},
        {"pause": "F", "flatten": "x", "close": "f4"},
        [],
    ),
    (
        {"pause": "F", "flatten": "nonsense", "theme": "f5"},
        {"pause": "p", "flatten": "F", "theme": "f5"},
        ["console.keys.flatten = 'nonsense'", "console.keys.pause = 'F' is not used: F is flatten"],
    ),
    ({"copy": "f4", "export": "f4"}, {"copy": "f4", "export": "e"}, ["console.keys.export = 'f4' is not used: F4 is copy; e stays"]),
]


@pytest.mark.hazard("H108")
@pytest.mark.parametrize(("own", "used", "says"), MAPS, ids=lambda value: ",".join(value) if isinstance(value, dict) else "")
def test_a_bad_entry_is_refused_alone_and_the_rest_is_used(own: dict[str, str], used: dict[str, str], says: list[str]) -> None:
    keys = KeyMap(COMMANDS, own)
    assert {name: keys.map[name] for name in used} == used
    assert len(keys.errors) == len(says), keys.errors
    for (_, text), wanted in zip(keys.errors, says, strict=True):
        assert wanted.lower() in text.lower()
    bound = [key for command in COMMANDS for key in split(keys.map[command.id])]
    assert len(bound) == len(set(bound)), "no key does two things"
    assert split(keys.map["flatten"]), "flatten has a key"


@pytest.mark.hazard("H108")
@given(
    st.dictionaries(st.sampled_from([*BY_ID, "nobody"]), st.sampled_from(["F", "x", "c", "f4", "f5", "", "tab", "q", "x,c", "zz", "é"]), max_size=8)
)
def test_whatever_a_map_says_every_command_keeps_a_key_and_flatten_has_one(own: dict[str, str]) -> None:
    keys = KeyMap(COMMANDS, own)
    bound = [key for command in COMMANDS for key in split(keys.map[command.id])]
    assert len(bound) == len(set(bound))
    assert all(split(keys.map[command.id]) for command in COMMANDS if command.key)
    refused = {name for name, _ in keys.errors}
    assert all(keys.map[name] == text for name, text in own.items() if name not in refused)


@pytest.mark.hazard("H108")
@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_each_bad_entry_is_named_until_it_is_acknowledged(size: tuple[int, int], staged: Staged, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[console.keys]\n# close = "z"\npause = "f4"\nclose = "c"\nlaunch = "z"\n')
    async with staged(size, keys={"pause": "f4", "close": "c", "launch": "z"}, keys_origin=str(file)) as stage:
        assert "settings.toml:5: console.keys.launch" in stage.text.splitlines()[0]
        await stage.frames(0.5)
        assert "a: seen, 1 more" in stage.text
        await stage.press("f4")
        assert [type(i).__name__ for i in stage.asked] == ["Pause"], "what was right is used"
        await stage.press("a")
        assert "settings.toml:4: console.keys.close = 'c'" in stage.text.splitlines()[0]
        await stage.press("a")
        assert "console.keys" not in stage.text.splitlines()[0]
        await stage.open("x")
        assert "closes BTC/USD" in stage.text
