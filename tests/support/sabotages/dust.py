"""Holdings too small for an order, as a desk keeps them that thinks each holding can be closed."""

from engine.desk import endings, flatten
from engine.desk.context import Context, Events
from engine.desk.events import DustLeft
from engine.model.position import Position
from tests.support.sabotage import Patch, sabotage

DUST = "tests/desk/test_dust.py"


@sabotage(
    "H99",
    "an entry that filled too little is a position for ever",
    test=f"{DUST}::test_an_entry_that_filled_too_little_ends_in_the_books[kraken-spot]",
)
def keep_the_crumb(patch: Patch) -> None:
    close_book = endings.close_book

    def close(ctx: Context, position: Position) -> Events:
        if position.exit_size:
            yield from close_book(ctx, position)
        elif not position.dust:
            yield DustLeft(ctx.now, position.id, dust=True)

    patch.setattr(endings, "close_book", close)


@sabotage(
    "H99",
    "flat is said, and what stays is not",
    test=f"{DUST}::test_flatten_names_it_and_does_not_wait_for_it[kraken-futures]",
)
def name_no_crumb(patch: Patch) -> None:
    patch.setattr(flatten, "left_as_dust", lambda _: {})


@sabotage(
    "H99",
    "an exit is waited for that nothing ends",
    test=f"{DUST}::test_a_rest_that_only_a_resting_exit_could_take_is_let_go_of_by_a_flatten",
)
def wait_for_the_rest(patch: Patch) -> None:
    patch.setattr(endings, "end_rests", lambda *_: iter(()))
