"""Stories from a seed: the same seed tells the same story, on every machine and version of
Python.
"""

from collections.abc import Callable
from random import Random

from msgspec.structs import replace

from engine.clock import SECOND
from engine.exchange import Delay, Faults, Interval
from engine.rehearsal.simulation import story as s

MS = SECOND // 1000
PROFILES = ("kraken-spot", "kraken-futures", "binance-spot")


INGREDIENTS: dict[str, bool] = {
    "own coins": True,
    "coins without a price": True,
    "withdrawals": True,
    "pauses": True,
    "clock steps": True,
    "lost journal": True,
    "journal set back": True,
    "second process": True,
    "last exit": True,
}
"""What accounts and days are like beside trades, faults and crashes; and whether a soak has it
without being asked.
"""
USUAL = frozenset(name for name, usual in INGREDIENTS.items() if usual)


def draw(seed: int, steps: int = 24, ingredients: frozenset[str] = USUAL) -> s.Story:
    """A story of about so many steps, with such ingredients."""
    random = Random(seed)  # noqa: S311 - to be repeated from a seed
    profile = random.choice(PROFILES)
    told: list[s.AnyStep] = []
    choices = [
        *_CHOICES,
        *(choice for name, made in _BESIDE.items() if name in ingredients for choice in made),
    ]
    for _ in range(random.randint(max(1, steps // 2), steps + steps // 2)):
        told.append(_pick(random, choices)(random))
        if random.random() < 0.6:
            told.append(_wait(random))
    story = s.Story(
        seed, tuple(told), profile, random.choice(("guard", "guard", "close")), _faults(random)
    )
    return replace(story, margin=random.random() < 0.5, coins=_coins(random, ingredients))


def _coins(random: Random, ingredients: frozenset[str]) -> dict[str, int]:
    """What the owner had before the first session."""
    coins = {}
    if "own coins" in ingredients and random.random() < 0.4:
        coins = {"BTC": random.choice((3, 2_000)), "ETH": 10_000}
    if "coins without a price" in ingredients and random.random() < 0.2:
        coins["DOGE"] = 1_000_000
    return coins


def _faults(random: Random) -> Faults:
    """None, a few, or all at once."""
    some = random.choice((0.0, 0.3, 0.3, 1.0))

    def rate(most: float) -> float:
        return round(random.random() * most, 2) if random.random() < some else 0.0

    def now_and_then(every: int, lasts: int) -> Interval | None:
        return (
            Interval(every * MS, random.randint(1, lasts) * MS) if random.random() < some else None
        )

    delay = (
        Delay(random.choice((1, 20, 150)) * MS, random.choice((200, 900, 4_000)) * MS)
        if random.random() < some
        else None
    )
    return Faults(
        lose_reply=rate(0.3),
        lose_request=rate(0.2),
        duplicate_report=rate(0.5),
        reorder_reports=rate(0.5),
        reject_stop=rate(0.6),
        delay=delay,
        disconnect=now_and_then(random.randint(3_000, 20_000), 2_500),
        rest_lag=random.choice((500, 5_000, 30_000, 60_000)) * MS if random.random() < some else 0,
        rate_limit_storm=now_and_then(random.randint(4_000, 20_000), 3_500),
    )


def _symbol(random: Random) -> s.Symbol:
    return "BTC/USD" if random.random() < 0.7 else "ETH/USD"


def _side(random: Random) -> s.SideName:
    return "buy" if random.random() < 0.7 else "sell"


def _wait(random: Random) -> s.Wait:
    return s.Wait(
        random.choice((0, 1, 5, 20, 60, 150, 400, 1_000, 3_000, 8_000)),
        silent=random.random() < 0.05,
    )


def _move(random: Random) -> s.Move:
    return s.Move(_symbol(random), round(random.gauss(0, random.choice((5, 60, 60, 300)))))


def _open(random: Random) -> s.Open:
    def maybe(value: int, chance: float) -> int | None:
        return value if random.random() < chance else None

    opened = s.Open(
        _symbol(random),
        _side(random),
        random.choice((1, 10, 50, 500, 5_000, 30_000)),
        random.choice(("market", "market", "limit", "stop")),
        random.choice((0, 5, 20, 100)),
        maybe(random.choice((5, 20, 60, 200)), 0.9),
        maybe(random.choice((5, 20, 60, 200)), 0.4),
        maybe(random.choice((5, 20, 60)), 0.25),
        maybe(random.choice((200, 1_000, 5_000)), 0.2),
        2 if random.random() < 0.1 else 1,
        random.random() < 0.2,
    )
    # what is smaller has no half
    halved = opened.target is not None and opened.target >= 20 and opened.size >= 50
    # told by what is drawn already: another draw would make another story of every seed
    return replace(opened, half=halved, by_r=opened.away == 5)


def _leave(random: Random) -> s.LeaveAt:
    bp = random.choice((None, 0, 1, 3, 10, 30, 100))
    return s.LeaveAt(_which(random), random.choice((100, 100, 50, 33)), bp, random.random() < 0.5)


def _await(random: Random) -> s.Await:
    bp = random.choice((3, 10, 30, 100)) * random.choice((1, -1))
    return s.Await(_symbol(random), bp, random.random() < 0.2)


def _which(random: Random) -> int:
    return random.randrange(4)


def _place(random: Random) -> int | None:
    return random.choice((3, 10, 30, 100, 300)) if random.random() < 0.92 else None


def _disk(random: Random) -> s.Disk:
    return random.choice((s.Disk(), s.Disk("fails"), s.Disk(ms=random.choice((5, 100, 5_000)))))


def _crash(random: Random) -> s.Crash:
    return s.Crash(random.choice(s.MOMENTS), random.randint(1, 4))


_KEYS: tuple[Callable[[Random], s.AnyStep], ...] = (
    _open,
    _open,
    _open,
    _open,
    lambda r: s.Close(_which(r), r.choice((100, 50))),
    _leave,
    lambda r: s.MoveStop(_which(r), _place(r)),
    lambda r: s.MoveTarget(_which(r), _place(r)),
    lambda r: s.Trail(_which(r), _place(r)),
    lambda r: s.CancelEntry(_which(r)),
    lambda r: s.Mode(r.choice(("pause", "resume", "resume"))),
    lambda r: s.Flatten() if r.random() < 0.1 else s.Reconcile(),
    lambda r: s.Reverse(_which(r)),
)


def key(random: Random) -> s.AnyStep:
    """A key that somebody might press."""
    return random.choice(_KEYS)(random)


_CHOICES: tuple[tuple[int, Callable[[Random], s.AnyStep]], ...] = (
    (16, _open),
    (14, _move),
    (5, lambda r: s.Close(_which(r), r.choice((100, 100, 50, 33)))),
    (5, _leave),
    (6, lambda r: s.MoveStop(_which(r), _place(r))),
    (3, lambda r: s.MoveTarget(_which(r), _place(r))),
    (3, lambda r: s.Trail(_which(r), _place(r))),
    (1, lambda r: s.BreakEven(_which(r))),
    (2, lambda r: s.Reverse(_which(r))),
    (2, _await),
    (3, lambda r: s.CancelEntry(_which(r))),
    (1, lambda r: s.CancelAll(r.random() < 0.3)),
    (2, lambda r: s.Flatten(r.choice((1, 1, 3)))),
    (3, lambda r: s.Mode(r.choice(("pause", "halt", "resume", "resume", "resume")))),
    (1, lambda r: s.Mash(r.choice((5, 20, 60)))),
    (1, lambda _: s.Reconcile()),
    (1, lambda r: s.Resolve(r.choice(("adopt", "forget", "flatten")))),
    (
        2,
        lambda r: s.External(
            _symbol(r),
            _side(r),
            r.choice((5, 50, 500)),
            r.choice(("market", "limit")),
            lent=r.random() < 0.2,
        ),
    ),
    (3, _disk),
    (1, lambda r: s.Hang(r.choice((50, 3_000, 90_000)))),
    (4, _crash),
    (1, lambda _: s.Restart()),
)
_BESIDE: dict[str, tuple[tuple[int, Callable[[Random], s.AnyStep]], ...]] = {
    "withdrawals": ((1, lambda r: s.Withdraw(r.choice(("BTC", "ETH")), r.choice((100, 50)))),),
    "pauses": ((2, lambda r: s.Pause(r.choice((200, 3_000, 8_000, 90_000)))),),
    "clock steps": (
        (1, lambda r: s.Jump(r.choice((-3_600_000, -7_000, 2_000, 7_000, 3_600_000)))),
    ),
    "lost journal": ((1, lambda _: s.Lose()),),
    "journal set back": ((2, lambda r: s.Backup() if r.random() < 0.5 else s.Lose(back=True)),),
    "second process": (
        (1, lambda r: s.Second(_symbol(r), "buy", r.choice((10, 500)), r.choice((500, 5_000)))),
    ),
    "last exit": ((1, lambda r: s.LastExit(r.choice(("dead", "stopped")))),),
}
"""The steps of each ingredient, with their weights."""


def _pick(
    random: Random, choices: list[tuple[int, Callable[[Random], s.AnyStep]]]
) -> Callable[[Random], s.AnyStep]:
    left = random.randrange(sum(weight for weight, _ in choices))
    for weight, make in choices:
        left -= weight
        if left < 0:
            return make
    raise AssertionError("the weights add up")
