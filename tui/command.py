"""What a command is, and the reasons for which one can't be done now."""

from collections.abc import Callable
from dataclasses import dataclass

from engine.model.order import Role
from tui.console import Console, Context

LISTS = ("positions", "orders", "watch", "activity")
"""The panes that are lists."""
Availability = Callable[[Context], str | None]
"""None, or why not."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that a key does: bindings, footer, palette, help and the `:` line are made of
    these.
    """

    id: str
    key: str
    """As Textual names keys; several separated by commas; empty for one without a key."""
    words: str
    group: str
    run: Callable[[Console], None]
    availability: Availability = lambda _: None
    footer: str = ""
    """One or two words for the footer; empty where it is not shown there."""
    shown: str = ""
    """How the key is written, where that differs from its name."""
    always: str = ""
    """A key that does it from every screen, dialog and field as well, whatever a person's map says.
    """
    pane: str = ""
    """The pane that must listen for its key to mean this; there the key means nothing else. Empty
    for a key of the whole screen.
    """


def opened(context: Context) -> str | None:
    """The engine is open."""
    if context.not_opened:
        return "the account is not open"
    return None if context.view is not None else "the engine is still starting"


def not_opened(context: Context) -> str | None:
    """It could not be opened, or its engine is not started again by itself."""
    if context.not_opened or (context.stopped and context.gone):
        return None
    if context.gone:
        return "the engine is gone: this console connects again by itself"
    return "the engine is still starting" if context.view is None else "the account is open"


def may_act(context: Context) -> str | None:
    """The engine is open and the account is ours."""
    return f"read-only: {context.read_only}" if context.read_only else opened(context)


def recorded(context: Context) -> str | None:
    """A recording is played, and may be played otherwise."""
    if context.view is not None and not context.view.replay:
        return "prices are no recorded ones"
    return may_act(context)


def on_position(context: Context) -> str | None:
    """A position is selected, and may be acted on."""
    if (why := may_act(context)) is not None:
        return why
    if context.position is None:
        return "select a position first («pane-positions», then «down» or «up»)"
    return "this position is being closed already" if context.position.closing else None


def on_order(context: Context) -> str | None:
    """An order is selected, and may be acted on."""
    if (why := may_act(context)) is not None:
        return why
    if context.order is None:
        return "select an order first («pane-orders», then «down» or «up»)"
    if context.order.order.in_doubt:
        return "its outcome is unknown; asking the venue"
    return "its cancel is under way" if context.order.order.cancel_pending else None


def on_stop(context: Context) -> str | None:
    """Something with a price that can be moved is selected."""
    if context.order is None:
        return on_position(context)
    if context.order.order.role is Role.ENTRY:
        return on_order(context)
    return on_position(context)


def on_symbol(context: Context) -> str | None:
    """A symbol is meant."""
    return may_act(context) or (None if context.symbol else "select a position or an order first")


def on_alert(context: Context) -> str | None:
    """There is an alert to speak of."""
    return opened(context) or (None if context.alert is not None else "no alert stands")


def on_new_alert(context: Context) -> str | None:
    """There is an alert that nobody has acknowledged, or a complaint about the settings."""
    if context.complaint:
        return None
    if (why := may_act(context) or on_alert(context)) is not None:
        return why
    return (
        "it is acknowledged already"
        if context.alert is not None and context.alert.acknowledged_at
        else None
    )


def in_list(context: Context) -> str | None:
    """A list listens."""
    return opened(context) or (
        None
        if context.pane in LISTS
        else "choose a list first: «pane-positions», «pane-orders», «pane-watch» or «pane-activity»"
    )


def in_rows(context: Context) -> str | None:
    """A list listens, or a pane that scrolls."""
    return opened(context) if context.pane in ("pnl", "limits") else in_list(context)


def on_thing(context: Context) -> str | None:
    """Something is selected, or the closed trades of the P&L are meant."""
    return opened(context) if context.pane == "pnl" else on_anything(context)


def on_anything(context: Context) -> str | None:
    """Something is selected."""
    if (why := in_list(context)) is not None:
        return why
    return None if context.selected else "nothing is selected"
