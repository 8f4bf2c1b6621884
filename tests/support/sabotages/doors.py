"""Sabotages of the doors: the web console, redirects, foreign text, secrets, the account's folder,
nonces, and what ccxt lacks.
"""

import asyncio
import hmac
from typing import Any

import aiohttp

from engine.account import home
from engine.journal import engines, errors
from engine.journal import export as exports
from engine.model import secrets, text
from engine.runtime.hearing import Hearing
from engine.runtime.redaction import Redaction
from engine.setup import setting_values
from engine.venues.live import rest, socket, venue
from engine.venues.live.nonces import Nonces
from tests.support.sabotage import Patch, sabotage

WEB, WIRE, TEXT, SECRETS, NONCES = (
    f"tests/doors/test_{name}.py" for name in ("web", "wire", "text", "secrets", "nonces")
)


@sabotage(
    "H116",
    "whoever reaches the port is served, without the token",
    test=f"{WEB}::test_the_guard_asks_for_the_whole_token",
)
def ask_for_no_token(patch: Patch) -> None:
    patch.setattr(hmac, "compare_digest", lambda given, token: True)


@sabotage("H116", "any page may ask", test=f"{WEB}::test_the_guard_knows_its_own_pages")
def ask_for_no_origin(patch: Patch) -> None:
    from tui.cli.web import Guard

    refusal = Guard.refusal
    patch.setattr(
        Guard, "refusal", lambda self, host, origin, path: refusal(self, host, None, path)
    )


@sabotage(
    "H116", "any name for this machine is served", test=f"{WEB}::test_the_guard_knows_its_own_names"
)
def serve_any_name(patch: Patch) -> None:
    from tui.cli.web import Guard

    patch.setattr(Guard, "_serves", lambda self, host: True)


@sabotage(
    "H116",
    "a console in a browser acts at once",
    test=f"{WEB}::test_a_console_that_was_not_taken_asks_nothing",
)
def take_at_once(patch: Patch) -> None:
    from tui.link import Link

    made = Link.__init__
    patch.setattr(Link, "__init__", lambda self, session, **_: made(self, session))


@sabotage(
    "H117",
    "redirects are followed, with key and signature",
    test=f"{WIRE}::test_no_request_with_a_key_follows_a_redirect",
)
def follow_redirects(patch: Patch) -> None:
    patch.setattr(rest, "METHODS", frozenset())


@sabotage("H117", "a stream follows a redirect", test=f"{WIRE}::test_no_stream_follows_a_redirect")
def follow_streams(patch: Patch) -> None:
    patch.setattr(socket, "_straight", aiohttp.TraceConfig)


@sabotage(
    "H117",
    "any address is taken from the settings",
    test=f"{WIRE}::test_an_address_without_encryption_is_refused_by_name",
)
def load_any_address(patch: Patch) -> None:
    patch.setattr(setting_values, "refused", lambda kind, address: "")


@sabotage(
    "H117",
    "a venue opens any address",
    test=f"{WIRE}::test_a_venue_opens_no_line_without_encryption",
)
def open_any_address(patch: Patch) -> None:
    patch.setattr(venue, "refused", lambda kind, address: "")

    # nobody is there: the test would wait for the network
    async def load(self: Any, _: object) -> tuple[()]:
        await asyncio.sleep(0)
        return ()

    patch.setattr(venue.LiveVenue, "_patiently", load)


@sabotage(
    "H118",
    "what a venue says goes to the terminal as it is",
    test=f"{TEXT}::test_what_is_said_is_harmless",
)
def say_it_raw(patch: Patch) -> None:
    from tui.cli import output

    patch.setattr(output, "escaped", str)


@sabotage(
    "H118",
    "the log holds what a terminal obeys",
    test=f"{TEXT}::test_the_log_holds_nothing_that_a_terminal_obeys",
)
def log_it_raw(patch: Patch) -> None:
    patch.setattr(Redaction, "filter", lambda self, record: True)


@sabotage(
    "H118",
    "a spreadsheet is given formulas",
    test=f"{TEXT}::test_a_spreadsheet_is_given_no_formula",
)
def export_formulas(patch: Patch) -> None:
    patch.setattr(exports, "cell", text.escaped)


@sabotage(
    "H119",
    "only user:password@ is a secret",
    test=f"{SECRETS}::test_what_looks_like_a_secret_is_masked",
)
def mask_no_query(patch: Patch) -> None:
    patch.setattr(secrets, "_of_query", lambda match: match[0])
    patch.setattr(secrets, "_of_keyword", lambda match: match[0])


@sabotage(
    "H119",
    "an error repeats what the driver says",
    test=f"{SECRETS}::test_a_driver_that_repeats_it_is_told_without_it",
)
def repeat_the_driver(patch: Patch) -> None:
    patch.setattr(errors, "masked", str)


@sabotage(
    "H119",
    "a journal that is away is told with its query",
    test=f"{SECRETS}::test_a_server_that_is_away_is_told_without_it",
)
def tell_the_query(patch: Patch) -> None:
    patch.setattr(engines, "masked", str)


@sabotage(
    "H119",
    "any folder is opened",
    test=f"{SECRETS}::test_a_folder_that_others_could_have_touched_is_not_opened",
)
def open_any_folder(patch: Patch) -> None:
    patch.setattr(home, "check", lambda folder: None)


@sabotage(
    "H119",
    "any name names a folder",
    test=f"{SECRETS}::test_a_name_that_leads_elsewhere_makes_no_folder",
)
def take_any_name(patch: Patch) -> None:
    patch.setattr(home, "check_name", lambda account: None)


@sabotage(
    "H121",
    "nonces do not follow",
    test=f"{NONCES}::test_exits_get_through_beside_a_program_with_larger_nonces",
)
def follow_no_nonce(patch: Patch) -> None:
    patch.setattr(Nonces, "climb", lambda self, step: False)


@sabotage(
    "H121",
    "a nonce that is refused is refused in silence",
    test=f"{NONCES}::test_the_engine_raises_an_alert_that_names_it",
)
def keep_silent_about_nonces(patch: Patch) -> None:
    report = Hearing.report
    patch.setattr(
        Hearing,
        "report",
        lambda self, told: None if type(told).__name__ == "KeyShared" else report(self, told),
    )


@sabotage(
    "H121",
    "the largest nonce is forgotten",
    test=f"{NONCES}::test_the_next_process_begins_above_the_largest",
)
def forget_the_nonce(patch: Patch) -> None:
    patch.setattr(Nonces, "_read", lambda self: 0)


@sabotage(
    "H129",
    "what ccxt lacks is found out when it is needed",
    test=f"{WIRE}::test_a_ccxt_that_lacks_an_endpoint_is_said_when_the_venue_opens",
)
def look_for_no_endpoint(patch: Patch) -> None:
    opened = rest.Rest.open
    patch.setattr(rest.Rest, "open", lambda self, needed=(): opened(self))
