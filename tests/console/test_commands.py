"""The one table: every key of the design is in it, everything made of it is complete, and people
may change it.
"""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.console.conftest import Staged
from tui import actions, commands
from tui.cli.keys import faults
from tui.commands import BY_ID, COMMANDS
from tui.keys import KeyMap, split

DESIGNED = "1 2 3 4 6 7 8 < > j k g G / s enter n x X m b t v c C p F a ! : y e T ? q"


def test_every_key_of_the_design_is_in_the_table() -> None:
    bound = {key for command in COMMANDS for key in split(command.key)}
    assert {key for wanted in DESIGNED.split() for key in split(wanted)} <= bound


def test_ids_and_keys_are_unique() -> None:
    assert len(BY_ID) == len(COMMANDS)
    keys = [(c.pane, key) for c in COMMANDS for key in split(c.key)]
    assert len(keys) == len(set(keys))


def test_no_key_has_two_meanings_and_each_can_be_typed() -> None:
    assert faults(COMMANDS, KeyMap(COMMANDS, {}), {}) == []
    twice = replace(BY_ID["close"], id="other")
    assert faults((BY_ID["close"], twice), KeyMap((BY_ID["close"], twice), {}), {}) == [
        "x means close and other everywhere"
    ]
    odd = replace(BY_ID["close"], key="nokey")
    assert faults((odd,), KeyMap((odd,), {}), {}) == ["close: no terminal sends 'nokey'"]


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ("", 0, "no key has two meanings"),
        (
            '[console.keys]\nclose = "q"\n',
            1,
            "none.toml:2: console.keys.close = 'q' is not used: q is quit",
        ),
    ],
)
def test_the_command_keys_checks_the_map(
    tmp_path: Path, settings: str, code: int, said: str
) -> None:
    file = tmp_path / "none.toml"
    file.write_text(settings, encoding="utf-8")
    words = ["-m", "tui.cli", "--settings", str(file), "keys", "--check"]
    run = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert (run.returncode, said in run.stdout) == (code, True), run.stdout + run.stderr


def test_each_action_that_a_command_names_is_there() -> None:
    """They are looked up when they are used: the first paint loads none of them."""
    named = re.findall(r'act\("(\w+)"\)', Path(commands.__file__).read_text(encoding="utf-8"))
    assert len(named) > 25
    for name in named:
        assert callable(getattr(actions, name)), name


AT_ONCE = {"", ".card", ".choice", ".dialog", ".flatten", ".frame", ".last_exit", ".offers"}
"""The two sheets that flatten, and what they are made of: there from the first moment, whatever
becomes of the program's files.
"""


def test_the_first_paint_loads_no_dialog_but_the_two_that_flatten() -> None:
    loaded = "import sys, tui.cli, tui.app; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    ).stdout
    assert {
        name.removeprefix("tui.flows") for name in said.split() if name.startswith("tui.flows")
    } == AT_ONCE
    assert not [
        name
        for name in said.split()
        if name.startswith(("tui.actions", "engine.desk", "sqlalchemy", "ccxt"))
    ]


def test_no_binding_has_priority() -> None:
    assert not any(binding.priority for binding in KeyMap(COMMANDS, {}).bindings(COMMANDS))


async def test_the_help_lists_every_command(staged: Staged) -> None:
    async with staged((120, 170)) as stage:
        await stage.press("?")
        await stage.frames(0.4)
        for command in COMMANDS:
            await stage.shows(command.words)


async def test_help_scrolls_where_it_does_not_fit(staged: Staged) -> None:
    async with staged((80, 24)) as stage:
        await stage.press("?")
        await stage.frames(0.4)
        await stage.press("space", "G")
        await stage.shows("quit; lists what stays open")


async def test_a_command_that_cant_be_done_says_why(staged: Staged) -> None:
    async with staged() as stage:
        stage.session.positions, stage.session.orders, stage.session.alerts = [], [], []
        stage.session.read_only = True
        await stage.frames()
        for command in COMMANDS:
            stage.app.main.board.listen(command.pane or "positions")
            why = command.availability(stage.app.main.context())
            if why is not None and command.key:
                stage.app.main.say("")
                await stage.press(split(command.key)[0])
                await stage.shows(why)
        assert not stage.asked


async def test_keys_can_be_mapped_by_id(staged: Staged) -> None:
    async with staged(keys={"close": "f11", "cancel": "x", "pause": "c"}) as stage:
        assert "F11 Close" in stage.text or "f11 Close" in stage.text
        await stage.open("f11")
        await stage.shows("closes BTC/USD at market")
        await stage.press("escape")
        await stage.press("c")
        assert [type(i).__name__ for i in stage.asked] == ["Pause"]


MAPS: list[tuple[dict[str, str], dict[str, str], list[str]]] = [
    (
        {"close": "c"},
        {"close": "x", "cancel": "c"},
        ["console.keys.close = 'c' is not used: c is cancel; x stays"],
    ),
    ({"close": "c", "cancel": "x"}, {"close": "c", "cancel": "x"}, []),
    (
        {"launch": "z"},
        {"close": "x"},
        ["console.keys.launch = 'z' is not used: unknown command “launch”"],
    ),
    (
        {"flaten": "f11"},
        {"flatten": "F"},
        [
            (
                "console.keys.flaten = 'f11' is not used: unknown command “flaten”;"
                " did you mean flatten?"
            )
        ],
    ),
    (
        {"flatten": ""},
        {"flatten": "F"},
        ["console.keys.flatten = '' is not used: it is no key; F stays"],
    ),
    (
        {"flatten": "hyper+q"},
        {"flatten": "F"},
        ["console.keys.flatten = 'hyper+q' is not used: 'hyper+q' is no key; F stays"],
    ),
    (
        {"flatten": "tab"},
        {"flatten": "F"},
        ["console.keys.flatten = 'tab' is not used: tab is the console's own; F stays"],
    ),
    (
        {"pause": "F"},
        {"pause": "p", "flatten": "F"},
        ["console.keys.pause = 'F' is not used: F is flatten; p stays"],
    ),
    (
        {"pause": "F", "flatten": "x", "close": "f11"},
        {"pause": "F", "flatten": "x", "close": "f11"},
        [],
    ),
    (
        {"pause": "F", "flatten": "nonsense", "theme": "f5"},
        {"pause": "p", "flatten": "F", "theme": "f5"},
        ["console.keys.flatten = 'nonsense'", "console.keys.pause = 'F' is not used: F is flatten"],
    ),
    (
        {"copy": "f11", "export": "f11"},
        {"copy": "f11", "export": "e"},
        ["console.keys.export = 'f11' is not used: F11 is copy; e stays"],
    ),
]


@pytest.mark.hazard("H108")
@pytest.mark.parametrize(
    ("own", "used", "says"),
    MAPS,
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_a_bad_entry_is_refused_alone_and_the_rest_is_used(
    own: dict[str, str], used: dict[str, str], says: list[str]
) -> None:
    keys = KeyMap(COMMANDS, own)
    assert {name: keys.map[name] for name in used} == used
    assert len(keys.errors) == len(says), keys.errors
    for (_, text), wanted in zip(keys.errors, says, strict=True):
        assert wanted.lower() in text.lower()
    bound = [(c.pane, key) for c in COMMANDS for key in split(keys.map[c.id])]
    assert len(bound) == len(set(bound)), "no key does two things in one place"
    assert split(keys.map["flatten"]), "flatten has a key"


@pytest.mark.hazard("H108")
@given(
    st.dictionaries(
        st.sampled_from([*BY_ID, "nobody"]),
        st.sampled_from(["F", "x", "c", "f11", "f5", "", "tab", "q", "x,c", "zz", "é"]),
        max_size=8,
    )
)
def test_whatever_a_map_says_every_command_keeps_a_key_and_flatten_has_one(
    own: dict[str, str],
) -> None:
    keys = KeyMap(COMMANDS, own)
    bound = [(c.pane, key) for c in COMMANDS for key in split(keys.map[c.id])]
    assert len(bound) == len(set(bound))
    assert all(split(keys.map[command.id]) for command in COMMANDS if command.key)
    refused = {name for name, _ in keys.errors}
    assert all(keys.map[name] == text for name, text in own.items() if name not in refused)


@pytest.mark.hazard("H108")
@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_each_bad_entry_is_named_until_it_is_acknowledged(
    size: tuple[int, int], staged: Staged, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[console.keys]\n# close = "z"\npause = "f11"\nclose = "c"\nlaunch = "z"\n')
    async with staged(
        size, keys={"pause": "f11", "close": "c", "launch": "z"}, keys_origin=str(file)
    ) as stage:
        assert "settings.toml:5: console.keys.launch" in stage.text.splitlines()[0]
        await stage.frames(0.5)
        await stage.shows("a: acknowledge, 1 more")
        await stage.press("f11")
        assert [type(i).__name__ for i in stage.asked] == ["Pause"], "what was right is used"
        await stage.press("a")
        assert "settings.toml:4: console.keys.close = 'c'" in stage.text.splitlines()[0]
        await stage.press("a")
        assert "console.keys" not in stage.text.splitlines()[0]
        await stage.open("x")
        await stage.shows("closes BTC/USD")
