"""Writing down what an account is when it is opened, and comparing it with what its journal
says.
"""

import contextlib
from pathlib import Path

from msgspec.structs import asdict

from engine.account.identity import (
    ENDPOINTS,
    Identity,
    KeyChangedError,
    MismatchError,
    differences,
    read,
    write,
)
from engine.journal import Journal


def establish(folder: Path, journal: Journal, identity: Identity, now: int) -> None:
    """Compare with the journal, then write into home and journal what is missing there. `now` in
    nanoseconds.

    Venue, profile and currency are compared with the journal's always. Endpoints and key are the
    home's, which may differ between machines that share a journal; where the home says nothing (it
    is new, or was lost), the journal's count. Raises MismatchError, KeyChangedError, JournalError.
    A disk that is full leaves the file for the next opening.
    """
    known, kept = read(folder), journal.identity()
    if kept is not None:
        _compare(identity, kept, at_home=known is not None)
    if known is None or (identity.fingerprint and not known.fingerprint):
        with contextlib.suppress(OSError):
            write(folder, identity)
    values = {
        key: value for key, value in asdict(identity).items() if key not in ("version", "account")
    }
    if kept != values:
        journal.identify(values, now)


def _compare(identity: Identity, kept: dict[str, str | None], *, at_home: bool) -> None:
    known = Identity(account=identity.account, **kept)  # type: ignore[arg-type]  # the table's columns that may be NULL are those that may be None
    found = [
        each
        for each in differences(known, identity, {})
        if not at_home or each.key not in ENDPOINTS
    ]
    if found:
        told = "; ".join(
            f"account.{each.key} is {each.asked or 'unset'}, the journal says"
            f" {each.known or 'unset'}"
            for each in found
        )
        raise MismatchError(
            f"account {known.account} is {known.label()} by its journal: {told}; name another"
            " account, or this one's venue"
        )
    if (
        not at_home
        and known.fingerprint
        and identity.fingerprint
        and known.fingerprint != identity.fingerprint
    ):
        raise KeyChangedError(
            f"account {known.account} ({known.label()}): the API key {identity.fingerprint} is not"
            f" the journal's, {known.fingerprint}; if you rotated it, say `flatout accounts confirm"
            f" {known.account}`"
        )
