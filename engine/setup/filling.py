"""Fills an entry of the command line in from a template."""

from collections.abc import Callable

from engine.model.intent import OpenBracket
from engine.model.order import OrderType
from engine.model.templates import Targets, Templates, Wish, bracket


def filled(
    templates: Templates, now: Callable[[], int]
) -> Callable[[OpenBracket, str], OpenBracket]:
    """What fills an entry in from the template of that name, or from the symbol's own where the
    name is empty; `now` tells the wall clock (nanoseconds). It raises ValueError with what is
    wrong.
    """

    def fill(said: OpenBracket, name: str) -> OpenBracket:
        return bracket(
            templates,
            name,
            said.symbol,
            said.side,
            _wish(said),
            id=said.id,
            now=now(),
            label=said.label,
        )

    return fill


def _wish(said: OpenBracket) -> Wish:
    """What was said of an entry, and nothing else."""
    price = said.price if said.price is not None else said.trigger
    lifetime = None if said.expires_in is None else f"{said.expires_in // 1_000_000_000}s"
    targets = Targets(said.partials, said.target) if said.partials or said.target else None
    return Wish(
        size=said.size,
        type=None if said.type is OrderType.MARKET else said.type,
        price=said.anchored if price is None else price,
        stop=said.stop,
        targets=targets,
        break_even=said.break_even,
        trail=said.trail,
        expire=lifetime,
        post_only=said.post_only or None,
        leverage=said.leverage,
        tags=said.tags,
        note=said.note or None,
        ioc=said.ioc,
        without=said.without,
    )
