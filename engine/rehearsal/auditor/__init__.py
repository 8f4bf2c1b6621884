"""The auditor: it judges the desk, and shares no rule with it.

The desk promises that no order is lost or doubled, no position is naked without somebody being
told, and that what it calls flat is flat. A judge that asked the desk's own rules would believe a
lie in them: with a `protection()` made to lie, 82 naked steps once went unseen. So this package
knows four things only: the events that the desk has journaled, the prices and instruments that it
was handed, and the venue's own records (`Witness`). `State` is what the desk claims: it is
compared, and never believed. An import contract keeps every rule of the desk out.

Reading order: `findings` (what did not hold), `orders`, `books` and `prices` (the auditor's own
records of orders, positions and money, and prices), `cover` (what protects a position), `witness`
(the venue's truth), `flat` (a claim of flat against it), `rest` (what is judged once everything has
come to rest), `auditor` (the face).
"""

from engine.rehearsal.auditor.auditor import Auditor
from engine.rehearsal.auditor.findings import Violation
from engine.rehearsal.auditor.witness import Witness

__all__ = ["Auditor", "Violation", "Witness"]
