"""What an intent would be answered if it were asked now. The rule itself is run as far as its
answer, and nothing of what it says is applied.
"""

from engine.desk import events as e
from engine.desk import seen
from engine.desk.checks import refusals
from engine.desk.context import Context
from engine.desk.draft import Draft, draft
from engine.desk.intents import HANDLERS, overdue
from engine.model import intent as i
from engine.model.view import Answer


def answer(ctx: Context, intent: i.AnyIntent, late: int = 0) -> Answer:
    """The answer; `late`: by how many nanoseconds the intent's deadline is over."""
    first = ctx.state.answers.get(intent.id)
    if first is not None:
        return first
    against = None if late > 0 else seen.refusal(ctx, intent)
    if against is not None:
        return Answer(intent.id, (against,))
    if late <= 0 and isinstance(intent, i.OpenBracket):
        drafted = draft(ctx, intent)  # its rule judges the losses first, which writes
        return Answer(intent.id, refusals(ctx, drafted) if isinstance(drafted, Draft) else drafted)
    rule = overdue(ctx, intent, late) if late > 0 else HANDLERS[type(intent)](ctx, intent)
    for event in rule:
        if isinstance(event, e.IntentTaken):
            return event.answer
    return Answer(intent.id)
