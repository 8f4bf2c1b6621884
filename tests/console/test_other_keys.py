"""A person's own keys: whatever names a key on the screen names that one. All keys are mapped
elsewhere, and no built-in one may be named any more.
"""

import re
from collections.abc import Iterator

import pytest

from engine.model.alert import ALERTS
from tests.console.conftest import Stage, Staged
from tests.console.sample import SampleSession
from tui.commands import COMMANDS
from tui.costs import Told
from tui.keys import ADVICE, KeyMap
from tui.panes.limits import counter_lines

OTHERS = [f"alt+{one}" for one in "abcdefghijklmnopqrstuvwxyz0123456789"]
OTHERS += [f"ctrl+alt+{one}" for one in "abdefghjklnorstuvwxyz"]
OTHERS += [f"ctrl+shift+f{n}" for n in range(1, 13)] + [f"shift+f{n}" for n in range(1, 13)]
OTHERS += [f"ctrl+f{n}" for n in range(1, 13)] + [f"f{n}" for n in range(13, 25)]
NAMED = re.compile(
    # `m: set one`, `q leaves`, `space: period`, `i interval`, `A locks`
    r"(?<![\w+«:.,−-])(?P<key>[A-Za-z0-9]|space|end|F[1-8])(?:: (?=[a-z])| (?=(?:leaves|locks|lists|"
    r"shows|chooses|types|closes|moves|at cursor|interval|zoom|cross|equity|scroll|period|price)\b))"
)


def others() -> dict[str, str]:
    """Another key for every command that has one."""
    free = iter(OTHERS)
    return {c.id: next(free) for c in COMMANDS if c.key}


def named(text: str) -> Iterator[str]:
    """The built-in keys that a text names, with their place."""
    for found in NAMED.finditer(text):
        yield f"{found['key']!r} in …{text[max(found.start() - 20, 0) : found.end() + 25]!r}"


@pytest.fixture
def keys() -> dict[str, str]:
    return others()


def test_all_of_them_can_be_mapped(keys: dict[str, str]) -> None:
    mapped = KeyMap(COMMANDS, keys)
    assert not mapped.errors
    assert mapped.is_own


def test_the_built_in_keys_are_found_by_this_test() -> None:
    for text in (
        "m: set one  x: close",
        "q leaves",
        " i interval  E equity",
        "1: 0.100",
        "A locks",
    ):
        assert list(named(text)) or text == "1: 0.100", text


def test_what_the_engine_advises_is_known_to_the_console() -> None:
    """Each key in the text of an alert is one that the console says in its own words."""
    for code, (_, text) in ALERTS.items():
        for told in ADVICE:
            text = text.replace(told, "")
        assert not list(named(text)), code


async def settled(stage: Stage) -> str:
    await stage.frames(0.5)
    return stage.text


@pytest.mark.parametrize("layout", ["watch", "trade", "desk", "review"])
async def test_no_pane_names_a_built_in_key(
    staged: Staged, keys: dict[str, str], layout: str
) -> None:
    async with staged((200, 60), keys=keys, layout=layout) as stage:
        assert not list(named(await settled(stage)))
        for command in COMMANDS:
            if command.id.startswith("pane-"):
                stage.app.main.run(command.id)
                assert not list(named(await settled(stage))), command.id
        stage.app.main.run("equity")
        assert not list(named(await settled(stage)))


async def test_empty_panes_name_the_key_that_fills_them(
    staged: Staged, keys: dict[str, str]
) -> None:
    async with staged((200, 60), keys=keys, layout="desk", first_run=True) as stage:
        stage.session.positions, stage.session.orders, stage.session.alerts = [], [], []
        text = await settled(stage)
        assert not list(named(text))
        assert text.count(f"{stage.app.keys.first('new')}: new order") >= 2


async def test_alerts_and_toasts_name_the_keys_that_are_mapped(
    staged: Staged, keys: dict[str, str]
) -> None:
    async with staged((160, 50), keys=keys, layout="desk") as stage:
        advice = "SOL/USD has no stop, at the venue or here. m: set one  x: close"
        stage.session.tell(advice, "bad", kind="naked")
        text = await settled(stage)
        assert not list(named(text))
        stop, close = (stage.app.keys.first(name) for name in ("stop", "close"))
        assert f"{stop}: set one  {close}: close" in text


async def test_what_can_not_be_done_names_the_keys_that_lead_there(
    staged: Staged, keys: dict[str, str]
) -> None:
    async with staged((160, 50), keys=keys) as stage:
        stage.session.positions, stage.session.orders = [], []
        for name in ("close", "cancel", "filter", "zoom", "ladder-screen"):
            stage.app.main.run(name)
            assert not list(named(await settled(stage))), name


async def test_the_tour_and_the_manual_name_them(staged: Staged, keys: dict[str, str]) -> None:
    async with staged((160, 50), keys=keys) as stage:
        stage.app.main.run("tour")
        text = await settled(stage)
        assert f"{stage.app.keys.first('buy')}, fill in amount" in text
        stage.app.main.run("help")
        assert f"{stage.app.keys.first('close')} " in await settled(stage)
        await stage.press("right")
        await stage.shows("the pages name the built-in keys; yours are under Keys")


def test_the_tokens_of_the_selection_stand_beside_the_keys_that_are_mapped(
    keys: dict[str, str],
) -> None:
    told = Told(costs={"close": "1", "stop": "2", "cancel": "3", "break-even": "4"})
    mapped = KeyMap(COMMANDS, keys)
    lines = counter_lines(SampleSession().view(), told, mapped)
    words = "  ".join(f"{mapped.first(n)} {c}" for n, c in list(told.costs.items())[:3])
    assert words in ["".join(text for text, _ in line[1:]) for line in lines]
