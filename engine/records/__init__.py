"""What the journal keeps of the desk's decisions, and the way back: the only room that knows both
of them.

Read `batches` (a decision's events and the rows that they changed, as one unit that becomes
durable), `read_models` (which of those rows can wait), `replays` (stored events to the state that
they tell) and `stream` (stored events as other programs hear them).
"""

from engine.records.batches import batch
from engine.records.read_models import LAG, Unwritten
from engine.records.replays import replay, state_of

__all__ = ["LAG", "Unwritten", "batch", "replay", "state_of"]
