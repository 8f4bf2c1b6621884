"""A recording that is played for a person, and the engine that lives by its clock."""

from engine.market.layout import MarketError
from engine.model.played import Replay, ReplayTold
from engine.runtime import Engine
from engine.session import messages as m
from engine.setup.environments import Environment
from engine.venues.paper import PaperVenue


def tell_of_prices(environment: Environment, engine: Engine) -> None:
    """Where prices come from, how often, and how they are played."""
    for symbol, pace in environment.paces.items():
        engine.board.set_pace(symbol, pace)
    engine.overview.progress = environment.progress
    _connect(environment, engine)
    for told in environment.files:
        engine.teller.say("said", "", told)


def _connect(environment: Environment, engine: Engine) -> None:
    """A hurry waits for disks, another speed is another gap between two beats, and standing still
    is no gap.
    """
    replay, venue = environment.replay, environment.venue
    if replay is None:
        return
    assert isinstance(venue, PaperVenue)
    clock, permit = engine.clock, engine.permit

    def paced(speed: float) -> None:
        engine.board.speed = speed
        permit.paced(speed, clock.now())

    replay.paced = paced
    replay.stood = lambda: permit.stood(clock.now())
    replay.busy = lambda: engine.outbox.waiting or venue.saving
    replay.tell = lambda text: engine.teller.say("replay", "", text)
    engine.overview.replay = lambda: replay.state


def play_on(environment: Environment) -> None:
    """Something is asked for: it takes time, and F9 waits for nobody."""
    if environment.replay is not None:
        environment.replay.play_on()


def answer(query: Replay, environment: Environment, read_only: bool) -> ReplayTold:
    """Do what is asked. Raises QueryError."""
    replay = environment.replay
    if replay is None:
        raise m.QueryError("prices are no recorded ones: there is nothing to play")
    if read_only:
        raise m.QueryError("somebody else holds the account")
    try:
        return ReplayTold(replay.do(query.do))
    except MarketError as error:
        raise m.QueryError(str(error)) from error
