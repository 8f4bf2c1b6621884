"""What came of a drill, and what that is worth."""

from msgspec import Struct

from engine.rehearsal.drills.drill import Drill
from engine.rehearsal.drills.judge import Judge

SECOND = 1_000_000_000
SLOW, WRONG, BARE = 50, 10, 20
"""Points of a hundred: at most for time, for each wrong key, at most for being naked."""
MOST_WRONG = 30
LETTERS = ((90, "A"), (75, "B"), (60, "C"), (0, "D"))


class Wrong(Struct, frozen=True):
    """A key or a wish that helped nothing."""

    at: int
    """Nanoseconds since 1970 UTC."""
    text: str


class Grade(Struct, frozen=True):
    """What came of one drill. Times are seconds after the emergency began."""

    drill: str
    at: int
    """When it ended, nanoseconds since 1970 UTC."""
    goal: str
    met: bool
    protected: float | None
    """Until a stop at the venue covered everything, or nothing was held; None: never."""
    flat: float | None
    best: float | None
    """When the venue would first have taken a close; None: never."""
    naked: float
    wrong: tuple[Wrong, ...] = ()
    points: int = 0
    letter: str = "F"


def graded(drill: Drill, judge: Judge, wrong: tuple[Wrong, ...], now: int, trip: float) -> Grade:
    """The grade. `trip` is how long a request takes to the venue and back, in seconds: nobody is
    faster.
    """

    def seconds(at: int | None) -> float | None:
        return None if at is None or not judge.began else max(at - judge.began, 0) / SECOND

    best = seconds(judge.best)
    best = None if best is None else best + trip
    met = seconds(judge.met(drill.goal))
    naked = judge.naked / SECOND
    points = 0
    if met is not None:
        late = max(met - (best or 0.0), 0.0)
        bare = max(naked - (best or 0.0), 0.0)
        points = 100 - round(min(max(late / drill.par - 1, 0) / 3, 1) * SLOW)
        points -= min(WRONG * len(wrong), MOST_WRONG)
        points -= round(min(max(bare / drill.par - 1, 0) / 3, 1) * BARE)
    letter = "F" if met is None else next(word for least, word in LETTERS if points >= least)
    return Grade(
        drill.name,
        now,
        drill.goal,
        met is not None,
        seconds(judge.protected_since),
        seconds(judge.flat_since),
        best,
        naked,
        wrong,
        max(points, 0),
        letter,
    )
