"""Many stories, in as many processes as there are to spare; what they found, and how much they went
through.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context

from engine.rehearsal.auditor import Violation
from engine.rehearsal.simulation.draw import USUAL, draw
from engine.rehearsal.simulation.play import play
from engine.rehearsal.simulation.stage import Outcome
from engine.rehearsal.simulation.story import Story
from engine.rehearsal.simulation.summary import Summary

CHUNK = 200
"""Steps per task of a process, about."""


def run(story: Story) -> Outcome:
    """Play a story; what it dies of is a finding, too."""
    try:
        return play(story)
    except Exception as error:  # a search for the unknown takes whatever comes
        return Outcome(violations=[Violation(0, "0 dies", f"{type(error).__name__}: {error}")])


def chunk(first: int, count: int, steps: int, ingredients: frozenset[str] = USUAL) -> Summary:
    """Some stories, one after the other."""
    summary = Summary()
    for seed in range(first, first + count):
        summary.add(seed, run(draw(seed, steps, ingredients)))
    return summary


def soak(
    first: int, steps: int, jobs: int, goes_on: Callable[[Summary], bool]
) -> Iterator[Summary]:
    """Stories from seed `first` on, until `goes_on` says no; the sum so far, after each chunk."""
    summary, seed, count = Summary(), first, max(1, CHUNK // steps)
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
    try:
        waiting: set[Future[Summary]] = set()
        more = True
        while more or waiting:
            while more and len(waiting) < 2 * jobs:
                waiting.add(pool.submit(chunk, seed, count, steps))
                seed += count
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                summary.merge(future.result())
            more = more and goes_on(summary)
            yield summary
    finally:
        pool.shutdown(cancel_futures=True)  # also where somebody has had enough
