"""What the README says under *When things go wrong* and nothing smaller proves: a disk that takes
nothing, a symbol that is typed, a gate.
"""

import resource
import subprocess
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.clock import SECOND
from engine.emergency import asking, flat
from engine.emergency.guarding import BOUNDS
from engine.gate import PATIENCE
from engine.model import intent as i
from engine.model.order import Role
from engine.model.request import QueryAccount, Request, Submit
from engine.session.taking import DEADLINE, TTL
from engine.venues.protocol import OutcomeUnknownError
from tests.support.custody import FLATOUT, Place, exchange, facts, holding, truth
from tests.support.scene import Scene
from tests.support.scene import play as exit_from
from tests.support.world import World, lending, play
from tui import stalling

D = Decimal


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "home", tmp_path / "settings.toml")


def typed(
    place: Place, words: Sequence[str], said: str = "", **more: Any
) -> subprocess.CompletedProcess[str]:
    """A command, and what a person types into it."""
    command = [*FLATOUT, *words]
    return subprocess.run(
        command,
        input=said,
        capture_output=True,
        text=True,
        env=place.environment,
        timeout=140,
        check=False,
        **more,
    )


def _no_room() -> None:
    """Every write to a file fails from now on, as on a disk that is full and read-only at once;
    pipes and sockets work.
    """
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.mark.hazard("H103")
@pytest.mark.slow
def test_the_last_exit_needs_no_room_on_the_disk(place: Place) -> None:
    with exchange("--symbols", "BTC/USD", "--tier", "pro") as ready:
        place.settings.write_text(
            f'[accounts.main]\nvenue = "kraken"\nrest = "{ready["rest"]}"\nws ='
            f' "{ready["ws"]}"\nsymbols = ["BTC/USD"]\nlimits = {{ tier = "pro" }}\nlag = 0\n'
        )
        with holding(place, "main") as engine:
            engine.kill()
            engine.wait()
        told = typed(place, ("--account", "main", "flatten", "--yes"), preexec_fn=_no_room)
        after = truth(ready)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Traceback" not in told.stderr
    assert "the mark can't be written" in told.stdout, "the disk took it: the case shows nothing"
    assert after["accounts"]["net"] == {}, "flat was said, and something is held"
    assert not [order for order in after["orders"] if order["status"] == "open"]


@pytest.mark.hazard("H113")
def test_all_of_a_symbol_is_closed_only_once_the_symbol_was_typed(place: Place) -> None:
    with holding(place, "paper") as engine:
        engine.kill()
        engine.wait()
    before = facts(place.home / "paper" / "paper.sqlite")
    words = ("flatten", "--yes", "--all-of", "BTC/USD")
    wrong = typed(place, words, "ETH/USD\n")
    assert wrong.returncode == 2, wrong.stdout + wrong.stderr
    assert "nothing was done" in wrong.stderr
    assert facts(place.home / "paper" / "paper.sqlite") == before
    right = typed(place, words, "BTC/USD\n")
    assert right.returncode == 0, right.stdout + right.stderr
    assert typed(place, ("status", "--venue")).returncode == 0, "something is still held"


def test_settings_that_are_no_use_are_told_and_nothing_is_tried(place: Place) -> None:
    place.settings.write_text('[account]\nvenue = "krakn"\n')
    told = typed(place, ("flatten", "--yes"))
    assert told.returncode == 2, told.stdout
    assert "account.venue" in told.stderr
    assert "Traceback" not in told.stderr
    assert not place.home.exists()


@pytest.mark.hazard("H82")
@pytest.mark.parametrize("any_price", [False, True])
def test_only_the_operators_word_lets_a_close_go_at_any_price(any_price: bool) -> None:
    """The market falls by three tenths while each order is on its way, and comes back: every bound
    is missed.
    """

    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        send, bounds = scene.venue.send, list[Decimal | None]()

        async def carry(request: Request) -> Any:
            if isinstance(request, Submit) and request.order.role is Role.CLOSE:
                bounds.append(request.order.price)
                scene.bids["BTC/USD"] = "42000"
                scene.quote()
            answer = await send(request)
            scene.bids["BTC/USD"] = "60000"
            scene.quote()
            return answer

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary(), any_price=any_price)
        assert len(bounds) > len(BOUNDS), bounds
        assert all(bound is not None for bound in bounds[: len(BOUNDS)])
        assert (None in bounds) is any_price, "a close left without a bound, and nobody had said so"
        assert (result.flat, scene.held == 0) == (any_price, any_price), result.lines

    exit_from(tale, profile="kraken-futures")


@pytest.mark.hazard("H74")
@pytest.mark.parametrize("answers", [True, False])
def test_what_is_held_back_leaves_once_it_is_proved_or_once_on_our_books(
    tmp_path: Path, answers: bool
) -> None:
    """The line was down; from then on the venue takes orders and shows no account: for a while, or
    for good.
    """

    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        send, silent, asked = world.venue.send, True, list[int]()

        async def carry(request: Request) -> Any:
            if isinstance(request, QueryAccount):
                asked.append(world.clock.now())
                if silent:
                    raise OutcomeUnknownError("no answer")
            return await send(request)

        world.venue.send = carry  # type: ignore[method-assign]
        world.engine.gate.evidence.void("the line was down", world.clock.now())
        await world.ask(i.ClosePosition(id="c", position=position.id))
        await world.until(
            lambda: "HELD_BACK" in {alert.code for alert in world.state.alerts.values()}, 20
        )
        held = world.clock.now()
        assert world.held == D("0.5"), "it left without a proof"
        assert any(held - at < 3 * SECOND for at in asked), "nobody asked the venue"
        silent = not answers
        await world.until(lambda: not world.state.positions, 30)
        assert world.held == 0
        assert ("SENT_ON_BOOKS" in world.told()) is not answers
        assert "HELD_BACK" not in {alert.code for alert in world.state.alerts.values()}
        assert world.clock.now() - held < 2 * PATIENCE, "it waited for longer than was said"
        silent = False

    play(tale, tmp_path, profile=replace(lending("kraken-spot"), limit_options={"tier": "pro"}))


@pytest.mark.hazard("H74")
def test_what_is_held_back_beside_the_owners_coins_leaves_on_the_operators_word_alone(
    tmp_path: Path,
) -> None:
    """The line was down, and the venue shows no account: without a word nothing leaves, whatever
    time passes; with it, once.
    """

    async def tale(world: World) -> None:
        world.venue.withdraw("BTC", D(-2))
        await world.ask(i.Reconcile(id="look"))
        await world.until(
            lambda: "DIFFERENCE" in {alert.code for alert in world.state.alerts.values()}, 30
        )
        await world.ask(i.Resolve(id="own", subject="BTC", action=i.Settlement.FORGET))
        position = await world.opened("0.5")
        send, silent = world.venue.send, True

        async def carry(request: Request) -> Any:
            if isinstance(request, QueryAccount) and silent:
                raise OutcomeUnknownError("no answer")
            return await send(request)

        def waiting() -> list[tuple[str, str, tuple[str, ...]]]:
            return [
                (row.subject, row.name, row.actions)
                for row in world.engine.view().truth.rows
                if row.kind == "exit"
            ]

        assert waiting() == []
        told = await world.ask(i.Resolve(id="early", subject=position.id, action=i.Settlement.SEND))
        assert [refusal.code for refusal in told.refusals] == ["UNKNOWN_DIFFERENCE"], (
            "nothing waits for a word yet"
        )
        world.venue.send = carry  # type: ignore[method-assign]
        world.engine.gate.evidence.void("the line was down", world.clock.now())
        await world.ask(i.ClosePosition(id="c", position=position.id))
        await world.wait(3 * PATIENCE / SECOND)
        assert world.held == D("2.5"), "coins of the owner's were sold on belief"
        assert waiting() == [
            (position.id, "exit of 0.5 BTC/USD; 2 BTC of your own beside it", ("send",))
        ]
        told = await world.ask(i.Resolve(id="other", subject="BTC", action=i.Settlement.SEND))
        assert [refusal.code for refusal in told.refusals] == ["UNKNOWN_DIFFERENCE"]
        told = await world.ask(i.Resolve(id="word", subject=position.id, action=i.Settlement.SEND))
        assert told.ok, told
        assert (
            told.text
            == "BTC/USD: leaves without a picture; if ours are gone, it sells of your own 2 BTC"
        )
        await world.until(lambda: not world.state.positions, 20)
        assert world.held == 2
        assert "SENT_ON_BOOKS" in world.told()
        assert waiting() == []
        assert not world.engine.board.blind
        assert not world.engine.board.confirmed, "one word, one exit"
        silent = False

    play(tale, tmp_path, profile=replace(lending("kraken-spot"), limit_options={"tier": "pro"}))


def test_the_times_that_the_readme_names() -> None:
    assert (asking.ACKNOWLEDGED, asking.PROGRESS, flat.SECONDS) == (3, 15, 120)
    assert (D("0.01"), D("0.03"), D("0.09"), D("0.25")) == BOUNDS
    assert (PATIENCE, TTL + DEADLINE, stalling.PATIENCE) == (5 * SECOND, 14 * SECOND, 5)
