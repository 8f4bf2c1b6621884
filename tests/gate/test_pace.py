"""What the pace remembers is bounded, however long it runs."""

from msgspec.structs import replace

from engine.gate.pace import SENT, Pace
from engine.model import report as r
from engine.model.order import Role
from engine.model.request import Lane, Submit
from tests.support.evidence import Account


def test_what_the_venue_ends_by_itself_is_remembered_for_so_many_positions_and_no_more() -> None:
    pace, order = Pace(), replace(Account().order("0.5"), role=Role.TARGET)
    for number in range(SENT + 10):
        name = f"T{number}"
        target = replace(order, client_order_id=name, position=f"p{number}")
        pace.leaves(Submit(target, Lane.PROTECT))
        pace.hear(r.Cancelled(name, None, "the other one has filled", number), number)
    newest, oldest = replace(order, position=f"p{SENT + 9}"), replace(order, position="p9")
    assert pace.until(newest)[0] == 1
    assert pace.until(oldest)[0] == 0
