"""What an account is, and commands that only look: the naive behaviour of before."""

import asyncio
import sys
import time
from collections.abc import Mapping
from typing import Any

import click

from engine.account.home import Holder, Home
from engine.account.identity import check_key
from engine.journal import Journal
from engine.model.view import View
from engine.session.local import LocalSession
from engine.setup import accounts
from engine.setup.accounts import Resolved
from engine.venues.live.rest import Rest
from engine.venues.looking import QuestionsAndDryRuns, QuestionsOnly
from tests.support.sabotage import Patch, sabotage

SESSION, CLI = "tests/account/test_identity.py", "tests/cli"


@sabotage(
    "H128",
    "settings say where an account is, whatever it is",
    test=f"{SESSION}::test_what_differs_is_refused_by_name",
)
def believe_the_settings(patch: Patch) -> None:
    patch.setattr(accounts, "differences", lambda *_: ())


@sabotage(
    "H128",
    "looking makes the folder that it looks for",
    test=(
        f"{SESSION}::test_with_a_venue_that_somebody_named_that_venue_is_meant_and_nothing_is_made"
    ),
)
def make_what_is_looked_at(patch: Patch) -> None:
    patch.setattr(Home, "at", Home.of)


@sabotage(
    "H128",
    "the journal does not know what its account is",
    test=f"{SESSION}::test_the_first_opening_writes_it_into_home_and_journal",
)
def keep_no_identity(patch: Patch) -> None:
    patch.setattr(Journal, "identify", lambda *_: None)


@sabotage(
    "H128",
    "any key is the account's own",
    test=f"{CLI}/test_accounts.py::test_a_rotated_key_is_refused_until_it_is_confirmed_by_name",
)
def trust_any_key(patch: Patch) -> None:
    import tui.cli.console
    import tui.cli.flatten
    import tui.cli.status

    assert tui.cli.flatten
    for name, module in list(sys.modules.items()):
        if name.startswith(("tui.", "engine.")) and getattr(module, "check_key", None) is check_key:
            patch.setattr(module, "check_key", lambda *_: None)


@sabotage(
    "H128",
    "a typo opens a paper account",
    test=f"{CLI}/test_accounts.py::test_a_name_that_nobody_knows_is_no_account_here",
)
def open_what_nobody_knows(patch: Patch) -> None:
    import tui.cli.chosen

    resolve = accounts.resolve

    def anything(*asked: Any, new: bool = False, **more: Any) -> Resolved:
        return resolve(*asked, new=True, **more)

    patch.setattr(tui.cli.chosen, "resolve", anything)


@sabotage(
    "H102",
    "status opens an engine where none runs",
    test=f"{CLI}/test_looking.py::test_status_with_a_lost_journal_leaves_the_stop_at_the_exchange",
)
def open_an_engine_to_look(patch: Patch) -> None:
    import tui.cli.status

    async def opened(resolved: Resolved) -> View:
        home = Home(resolved.folder)
        assert home.hold(time.time_ns()) is None
        session = LocalSession(resolved.settings, home)
        await session.open()
        await asyncio.sleep(3)
        view = session.view()
        await session.close()
        return view

    def naive(resolved: Resolved, holder: Holder | None, *, as_json: bool) -> int:
        del holder, as_json
        click.echo(tui.cli.status.told(asyncio.run(opened(resolved))))
        return 0

    patch.setattr(tui.cli.status, "_last_known", naive)


@sabotage(
    "H102",
    "the line of a looking venue carries orders",
    test=f"{CLI}/test_looking.py::test_the_line_of_a_looking_venue_carries_nothing_but_questions",
)
def carry_anything(patch: Patch) -> None:
    patch.setattr(QuestionsOnly, "private", Rest.private)


@sabotage(
    "H102",
    "the doctor's door carries orders",
    test=f"{CLI}/test_looking.py::test_the_line_of_a_looking_venue_carries_nothing_but_questions",
)
def carry_any_order(patch: Patch) -> None:
    async def private(
        self: QuestionsAndDryRuns, method: str, params: Mapping[str, Any], lane: int
    ) -> Any:
        return await Rest.private(self, method, params, lane)

    patch.setattr(QuestionsAndDryRuns, "private", private)
