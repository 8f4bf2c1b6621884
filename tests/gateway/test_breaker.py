"""The breaker against one that remembers every outcome."""

from hypothesis import given
from hypothesis import strategies as st

from engine.gateway import Breaker
from engine.model.counts import counted


def failures_at_the_end(outcomes: list[bool]) -> int:
    count = 0
    for good in reversed(outcomes):
        if good:
            break
        count += 1
    return count


@given(threshold=st.integers(1, 5), outcomes=st.lists(st.booleans(), max_size=30))
def test_it_is_open_after_so_many_failures_in_a_row_until_an_answer_comes(
    threshold: int, outcomes: list[bool]
) -> None:
    breaker = Breaker(threshold)
    assert (breaker.state, breaker.is_open, breaker.text) == ("closed", False, "")
    for number, good in enumerate(outcomes):
        before, after = (
            failures_at_the_end(outcomes[:number]),
            failures_at_the_end(outcomes[: number + 1]),
        )
        if good:
            assert breaker.succeeded() is (before >= threshold)
        else:
            assert breaker.failed(f"why {after}") is (after == threshold)
        assert breaker.is_open is (after >= threshold)
        assert breaker.state == ("open" if after >= threshold else "failing" if after else "closed")
        assert breaker.text == (
            f"{counted(threshold, 'failure')} in a row: why {threshold}"
            if after >= threshold
            else ""
        )
