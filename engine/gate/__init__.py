"""The last line before the wire: what may leave, judged by the venue's own word. It knows no rule
of the desk.

The engine and the last exit send through the same gate. Read `gate` first (the order of its
questions), then `evidence` (how much of an asset the venue's word proves to be ours), `exits`
(what may still leave of it) and `pace` (how long an exit that failed has to wait).
"""

from engine.gate.evidence import Evidence
from engine.gate.gate import AGAIN, PATIENCE, Admitted, Gate, Held, Permit, Reason, Standing
from engine.gate.pace import Pace

__all__ = [
    "AGAIN",
    "PATIENCE",
    "Admitted",
    "Evidence",
    "Gate",
    "Held",
    "Pace",
    "Permit",
    "Reason",
    "Standing",
]
