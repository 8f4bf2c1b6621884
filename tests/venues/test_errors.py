"""What an error text means is the profile's to say; the class of a library's exception says
nothing.
"""

import pytest

from engine.venues.live.errors import Outcome, outcome
from engine.venues.profiles import load_profile

SPOT = {
    "EOrder:Insufficient funds": Outcome.REFUSED,
    "EOrder:Rate limit exceeded": Outcome.RATE_LIMITED,
    "EAPI:Rate limit exceeded": Outcome.RATE_LIMITED,
    "EService:Throttled:1700000000": Outcome.RATE_LIMITED,
    "EAPI:Invalid nonce": Outcome.NONCE,
    "EService:Deadline elapsed": Outcome.REFUSED,
    "EService:Timeout": Outcome.UNKNOWN,
    "EService:Unavailable": Outcome.UNKNOWN,
    "EGeneral:Internal error": Outcome.UNKNOWN,
    "EWhatever:new": Outcome.UNKNOWN,
    "": Outcome.UNKNOWN,
}
FUTURES = {
    "apiLimitExceeded": Outcome.RATE_LIMITED,
    "nonceBelowThreshold": Outcome.NONCE,
    "authenticationError": Outcome.REFUSED,
    "Server Error": Outcome.UNKNOWN,
    "somethingNew": Outcome.UNKNOWN,
}


@pytest.mark.parametrize(("text", "wanted"), SPOT.items())
def test_kraken_spot(text: str, wanted: Outcome) -> None:
    assert outcome(load_profile("kraken-spot").errors, [text]) is wanted


@pytest.mark.parametrize(("text", "wanted"), FUTURES.items())
def test_kraken_futures(text: str, wanted: Outcome) -> None:
    assert outcome(load_profile("kraken-futures").errors, [text]) is wanted


def test_the_first_text_that_is_listed_counts() -> None:
    assert (
        outcome(load_profile("kraken-spot").errors, ["WGeneral:odd", "EOrder:Unknown order"])
        is Outcome.REFUSED
    )
