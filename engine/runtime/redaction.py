"""What may stand in no log: it is masked."""

import logging
from collections.abc import Iterable

from engine.desk import events as e
from engine.model.secrets import masked, remember
from engine.model.text import escaped

DOUBTFUL = (
    e.OrderRejected,
    e.OutcomeUnknown,
    e.AmendRefused,
    e.CancelRefused,
    e.OrderRecovered,
    e.HoldingAdjusted,
    e.FillSettled,
)


class Redaction(logging.Filter):
    """Takes secrets, and what a terminal that shows the file would obey, out of whatever is
    written.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Every record passes, without them."""
        record.msg, record.args = escaped(masked(record.getMessage())), None
        return True


def redacted(text: str, secrets: Iterable[str]) -> str:
    """The text without these secrets and without whatever else looks like one, harmless to a
    terminal.
    """
    remember(secrets)
    return escaped(masked(text))
