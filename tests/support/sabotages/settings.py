"""Settings that stand in the file and bind nobody: each key of `[symbols]`, the day's zone, the
bounds of a symbol.
"""

from collections.abc import Iterator
from typing import Any

import engine.setup.settings
from engine.desk import checks, draft, symbols
from engine.desk.checks import CHECKS
from engine.desk.context import Context, nanoseconds
from engine.desk.draft import Draft
from engine.model import day
from engine.model.instrument import Instrument
from engine.model.intent import Away, OpenBracket
from engine.model.order import Trail
from engine.model.refusal import Refusal
from engine.model.rules import Rules, SymbolRules
from engine.setup import factories, setting_values, symbol_tables
from tests.support.sabotage import Patch, sabotage

OUTSIDE = "tests/rehearsal/scenario/test_symbol_settings.py"
SETTINGS = "tests/setup/test_symbols.py"


def _without(patch: Patch, *names: str) -> None:
    patch.setattr(checks, "CHECKS", tuple(check for check in CHECKS if check.__name__ not in names))


def _forgets(patch: Patch, *unset: str) -> None:
    """The rules of a symbol as if somebody had not written some of them."""

    def of(self: Rules, symbol: str) -> SymbolRules:
        own = self.symbols.get(symbol, SymbolRules())
        return SymbolRules(
            **{name: None if name in unset else getattr(own, name) for name in symbol_tables.FIELDS}
        )

    patch.setattr(Rules, "of", of)


@sabotage(
    "H26",
    "the smallest size of a symbol is not asked",
    test=f"{OUTSIDE}::test_min_size_refuses_a_smaller_entry_of_this_symbol_alone",
)
def any_small_size(patch: Patch) -> None:
    _forgets(patch, "min_size")


@sabotage(
    "H26",
    "the largest size of a symbol is not asked",
    test=f"{OUTSIDE}::test_max_size_refuses_a_larger_entry_also_one_that_the_risk_sizes",
)
def any_large_size(patch: Patch) -> None:
    _without(patch, "_sizes")


@sabotage(
    "H26",
    "one slippage bound holds for every symbol",
    test=f"{OUTSIDE}::test_max_slippage_bounds_the_price_of_this_symbol_alone",
)
def one_slippage(patch: Patch) -> None:
    patch.setattr(Rules, "max_slippage", lambda self, _: self.risk.max_slippage)


@sabotage(
    "H26",
    "positions of one symbol are not counted",
    test=f"{OUTSIDE}::test_max_positions_counts_the_positions_and_entries_of_this_symbol",
)
def any_positions_in_a_symbol(patch: Patch) -> None:
    _without(patch, "_slots_in_symbol")


@sabotage(
    "H26",
    "entries that have not filled take no place in their symbol",
    test=f"{OUTSIDE}::test_max_positions_counts_the_positions_and_entries_of_this_symbol",
)
def count_what_is_held(patch: Patch) -> None:
    def held(ctx: Context, d: Draft) -> Iterator[Refusal]:
        bound = ctx.rules.max_positions(d.intent.symbol)
        count = sum(1 for position in ctx.state.positions_in(d.intent.symbol) if position.is_open)
        if bound is not None and count >= bound:
            yield Refusal("MAX_POSITIONS_PER_SYMBOL", str(count), str(bound))

    _without(patch, "_slots_in_symbol")
    patch.setattr(checks, "CHECKS", (*checks.CHECKS, held))


@sabotage(
    "H26",
    "a symbol's default stop is only shown",
    test=f"{OUTSIDE}::test_an_entry_without_a_stop_gets_the_symbols_own",
)
def no_default_stop(patch: Patch) -> None:
    _forgets(patch, "stop")


@sabotage(
    "H26",
    "a symbol's default target is only shown",
    test=f"{OUTSIDE}::test_an_entry_without_a_target_gets_the_symbols_own",
)
def no_default_target(patch: Patch) -> None:
    _forgets(patch, "target")


@sabotage(
    "H26",
    "a symbol's default trail is only shown",
    test=f"{OUTSIDE}::test_an_entry_without_a_trail_gets_the_symbols_own",
)
def no_default_trail(patch: Patch) -> None:
    _forgets(patch, "trail", "trail_after")


@sabotage(
    "H26",
    "a default trail follows at once, whatever the settings say",
    test=f"{OUTSIDE}::test_a_trail_follows_from_the_profit_that_trail_after_says",
)
def trail_at_once(patch: Patch) -> None:
    _forgets(patch, "trail_after")


@sabotage(
    "H26",
    "a symbol's entry lifetime ends nothing",
    test=f"{OUTSIDE}::test_a_resting_entry_ends_with_its_lifetime",
)
def rest_for_ever(patch: Patch) -> None:
    _forgets(patch, "entry_lifetime")


@sabotage(
    "H26",
    "a default replaces what was asked",
    test=f"{OUTSIDE}::test_what_is_named_or_declined_gets_no_default",
)
def default_wins(patch: Patch) -> None:
    def given(ctx: Context, intent: OpenBracket) -> OpenBracket:
        own = ctx.rules.of(intent.symbol)
        return OpenBracket(
            **{
                **{name: getattr(intent, name) for name in intent.__struct_fields__},
                "stop": intent.stop if own.stop is None else Away(own.stop),
                "target": intent.target if own.target is None else Away(own.target),
                "trail": intent.trail if own.trail is None else Trail(fraction=own.trail),
                "expires_in": (
                    intent.expires_in
                    if own.entry_lifetime is None
                    else nanoseconds(own.entry_lifetime)
                ),
            }
        )

    patch.setattr(draft, "with_defaults", given)


@sabotage(
    "H26",
    "what a trader declined is added all the same",
    test=f"{OUTSIDE}::test_what_is_named_or_declined_gets_no_default",
)
def decline_nothing(patch: Patch) -> None:
    patch.setattr(symbols, "_open", lambda *_: True)


@sabotage(
    "H26",
    "a target rests wherever it can",
    test=f"{OUTSIDE}::test_a_target_rests_as_a_limit_or_is_watched_as_a_trigger",
)
def rest_every_target(patch: Patch) -> None:
    patch.setattr(Rules, "target_order", lambda *_: "limit")


@sabotage(
    "H26",
    "paper takes the profile's fees",
    test=f"{OUTSIDE}::test_the_paper_venue_takes_the_fees_that_the_symbol_says",
)
def fees_of_the_profile(patch: Patch) -> None:
    def uncharged(instruments: Any, _: object) -> tuple[Instrument, ...]:
        return tuple(instruments)

    patch.setattr(factories, "charged", uncharged)


@sabotage(
    "H26",
    "a misspelt symbol has settings that nobody reads",
    test=f"{SETTINGS}::test_settings_that_no_symbol_would_read_for_its_spelling_are_refused",
)
def any_spelling(patch: Patch) -> None:
    patch.setattr(engine.setup.settings, "_spelled", lambda *_: None)


@sabotage(
    "H26",
    "a scenario sets what its market does not trade",
    test=f"{OUTSIDE}::test_a_symbol_that_the_market_does_not_trade_is_refused",
)
def set_what_is_not_traded(patch: Patch) -> None:
    patch.setattr(symbol_tables, "unread", lambda *_, **__: {})


@sabotage(
    "H26",
    "a fraction above one is taken",
    test=f"{SETTINGS}::test_a_mistake_is_refused_by_name_and_line[per-cent]",
)
def any_fraction(patch: Patch) -> None:
    patch.setattr(setting_values, "_outside", lambda *_: "")


@sabotage(
    "H27",
    "every day is one of UTC",
    test="tests/desk/test_lockouts.py::test_the_day_of_the_loss_ends_by_the_zone_and_hour_of_the_settings",
)
def days_of_utc(patch: Patch) -> None:
    began, ends = day.began, day.ends
    patch.setattr(day, "began", lambda at, *_: began(at, "UTC", 0))
    patch.setattr(day, "ends", lambda at, *_: ends(at, "UTC", 0))


@sabotage(
    "H27",
    "every day has 24 hours",
    test="tests/desk/test_lockouts.py::test_the_day_of_the_loss_ends_by_the_zone_and_hour_of_the_settings",
)
def days_of_one_length(patch: Patch) -> None:
    began = day.began
    patch.setattr(day, "ends", lambda at, zone, hour: began(at, zone, hour) + 86_400 * day.SECOND)
