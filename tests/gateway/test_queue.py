"""The queue against a list that is sorted anew each time."""

from hypothesis import given
from hypothesis import strategies as st

from engine.gateway.queue import Queue, Waiting
from engine.model.request import Lane, Query, QueryAccount, subject
from tests.support.line import amend, cancel, query, submit

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "remove", "put back"]),
        st.sampled_from([Lane.PROTECT, Lane.ENTRY]),
        st.integers(0, 20),
    ),
    max_size=60,
)


@given(steps=STEPS)
def test_requests_leave_by_lane_and_then_by_age_even_when_they_come_back(
    steps: list[tuple[str, Lane, int]],
) -> None:
    queue, inside, outside = Queue(), list[Waiting](), list[Waiting]()
    for number, (what, lane, place) in enumerate(steps):
        if what == "add":
            added = queue.add(submit(f"o{number}", lane), number)
            assert (added.lane, added.since, added.attempts, added.not_before) == (
                lane,
                number,
                0,
                0,
            )
            inside.append(added)
        elif what == "remove" and inside:
            outside.append(inside.pop(place % len(inside)))
            queue.remove(outside[-1])
            assert outside[-1] not in queue
        elif what == "put back" and outside:
            inside.append(outside.pop(place % len(outside)))
            queue.put_back(inside[-1])
            assert inside[-1] in queue
        assert [waiting.request for waiting in queue] == [
            waiting.request for waiting in sorted(inside, key=lambda one: (one.lane, one.since))
        ]
        assert len(queue) == len(inside)
        assert queue.counts() == {
            lane: sum(waiting.lane is lane for waiting in inside) for lane in Lane
        }


def test_what_comes_back_takes_its_old_place() -> None:
    queue = Queue()
    first, *_ = [queue.add(submit(name), 0) for name in "abc"]
    queue.remove(first)
    queue.put_back(first)
    assert [subject(waiting.request) for waiting in queue] == ["a", "b", "c"]


def test_the_queue_can_be_emptied_while_it_is_walked() -> None:
    queue = Queue()
    for name in "abc":
        queue.add(submit(name), 0)
    for waiting in queue:
        queue.remove(waiting)
    assert len(queue) == 0


def test_a_cancel_finds_its_order_and_its_amends_and_nobody_else_s() -> None:
    queue = Queue()
    for name in ("a", "b"):
        queue.add(submit(name), 0)
        queue.add(amend(name), 0)
        queue.add(amend(name, Lane.FOLLOW), 0)
        queue.add(query(name), 0)
    unsent = queue.unsent(cancel("b"))
    assert unsent is not None
    assert unsent.request == submit("b")
    assert queue.unsent(cancel("c")) is None
    assert {waiting.lane for waiting in queue.superseded(cancel("b"))} == {
        Lane.PROTECT,
        Lane.FOLLOW,
    }
    assert {subject(waiting.request) for waiting in queue.superseded(cancel("b"))} == {"b"}
    assert queue.superseded(cancel("c")) == []


def test_a_question_is_the_same_when_it_is_about_the_same() -> None:
    queue = Queue()
    queue.add(cancel("a"), 0)
    assert queue.same(query("a")) is None, "a cancel is no question"
    queue.add(query("a"), 0)
    assert queue.same(Query("a", "BTC/USD")) is not None
    assert queue.same(query("b")) is None
    assert queue.same(QueryAccount(0)) is None
    queue.add(QueryAccount(0), 0)
    assert queue.same(QueryAccount(5)) is not None


def test_a_request_is_in_the_queue_as_itself_not_as_its_equal() -> None:
    one, other = Queue(), Queue()
    mine, twin = one.add(submit("a"), 0), other.add(submit("a"), 0)
    assert mine == twin
    assert mine in one
    assert twin not in one
