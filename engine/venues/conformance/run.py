"""One check of one venue: all steps in their order."""

from collections.abc import AsyncIterator

from engine.clock import Clock
from engine.venues.conformance.account import Account
from engine.venues.conformance.checked import Checked, Step, StepError
from engine.venues.conformance.holding import Holding
from engine.venues.conformance.resting import Resting
from engine.venues.protocol import Venue, VenueError


class Conformance:
    """A check, to be run once."""

    def __init__(
        self, venue: Venue, account: str, symbol: str, clock: Clock, *, pause: float = 15.0
    ) -> None:
        """`pause` is how many seconds a request waits that the rate limit kept out."""
        self._check = Checked(venue, account, symbol, clock, pause)

    async def run(self) -> AsyncIterator[Step]:
        """The steps, each as it is done; after one fails the rest goes on where it can."""
        account = Account(self._check)
        for name, step in (
            *account.first(),
            *Resting(self._check).steps(),
            *Holding(self._check).steps(),
            *account.last(),
        ):
            if step is None:
                yield Step(name, None, "the profile says that it can't")
                continue
            try:
                detail = await step()
            except StepError as error:
                yield Step(name, ok=False, detail=str(error))
            except (
                VenueError,
                TimeoutError,
                KeyError,
                AttributeError,
                ValueError,
            ) as error:  # of a step whose own order was never taken, too
                yield Step(name, ok=False, detail=f"{type(error).__name__}: {error}")
            else:
                yield Step(name, ok=True, detail=detail)
                continue
            if step == account.connects:
                return
