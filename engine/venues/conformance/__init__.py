"""What every venue must do, step by step, against the venue itself: paper, wire and an exchange's
own testnet pass the same steps.

It trades the smallest size that shows what is to be shown, and leaves the account as it found it.
Steps that a profile says the venue can't do are left out, by name. To read: `checked` (what the
steps share), then `account`, `resting` and `holding`, in the order in which they run.
"""

from engine.venues.conformance.checked import Step
from engine.venues.conformance.run import Conformance

__all__ = ["Conformance", "Step"]
