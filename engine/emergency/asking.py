"""The first step: ask the engine, with a deadline, and follow what it does. It is passed over as
soon as waiting for it is no use.

The protocol is one line of JSON each way over the socket in the account's home. Only the few fields
that matter here are read, so that neither an older nor a newer engine can confuse this.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.model.codes import AlertCode, RefusalCode
from engine.model.counts import counted

ACKNOWLEDGED = 3.0
"""Seconds that the engine gets to say that it has taken the intent."""
PROGRESS = 15.0
"""Seconds without any progress after which it is passed over."""
OPENING = 30.0
"""Seconds that an engine gets to open, while it reaches one step after the other: its position may
be naked meanwhile.
"""
LOOK = 0.5
"""Seconds between two looks at it."""
WITHDRAWN = 1.0
"""Seconds that it gets to confirm that the intent is withdrawn."""
LINE = 32 * 1024 * 1024
SECOND = 1_000_000_000

Json = dict[str, Any]  # whatever an engine says


class Asked(StrEnum):
    """What came of it."""

    FLAT = "flat"
    NOBODY = "nobody"
    """Nothing listens."""
    SILENT = "silent"
    """It did not acknowledge in time."""
    REFUSED = "refused"
    LOST = "lost"
    """It acknowledged, and then made no progress, or went away."""
    OPENING = "opening"
    """It is still opening, and has taken nothing."""


class Talk:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, path: Path, seconds: float) -> "Talk":
        """Connect. Raises OSError or TimeoutError."""
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_unix_connection(str(path), limit=LINE)
        return cls(reader, writer)

    async def put(self, question: Json, seconds: float) -> Json:
        """Ask and wait for the answer. Raises OSError, TimeoutError or ValueError."""
        async with asyncio.timeout(seconds):
            self._writer.write(json.dumps(question).encode() + b"\n")
            await self._writer.drain()
            line = await self._reader.readline()
        if not line:
            raise ConnectionResetError("the engine hung up")
        told = json.loads(line)
        if not isinstance(told, dict):
            raise ValueError("an answer that is no object")
        return told

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._writer.close()


TROUBLE = (OSError, TimeoutError, ValueError)


async def ask(path: Path, intent: str, say: Callable[[str], None], young: float = 0.0) -> Asked:
    """Ask the engine behind a socket to flatten, and follow it to its receipt.

    `young` is for how many seconds nobody may listen yet, because the lock was taken just now. One
    that is still opening has taken nothing: it is asked again, with a new deadline, for as long as
    it gets on.
    """
    began = moved = time.monotonic()
    told, step = False, 0
    while True:
        asked_at = time.time_ns()
        try:
            answer = await _put(path, {"type": "ask", "intent": _flatten(intent, asked_at)})
        except _NobodyError:
            if told or time.monotonic() - began >= young:
                return Asked.NOBODY
        except TROUBLE:
            if not told:
                # one that is opening may read its journal, or have given up: it is looked at again
                return Asked.SILENT
        else:
            if not _is_opening(answer):
                break
            if not told or answer["starting"] != step:
                told, step, moved = True, answer["starting"], time.monotonic()
                say(str(answer.get("error")))
        if told and (time.monotonic() - moved >= PROGRESS or time.monotonic() - began >= OPENING):
            return Asked.OPENING
        await asyncio.sleep(LOOK)
    if answer.get("refusals") or "error" in answer or answer.get("intent") != intent:
        say(f"the engine refuses: {_why(answer)}")
        return Asked.REFUSED
    say(f"the engine: {answer.get('text') or 'flattening'}")
    return await follow(path, intent, say, asked_at)


class _NobodyError(Exception):
    """Nothing listens at the socket."""


def _flatten(intent: str, asked_at: int) -> Json:
    return {"intent": "flatten", "id": intent, "not_after": asked_at + int(ACKNOWLEDGED * SECOND)}


def _is_opening(answer: Json) -> bool:
    """Whether the engine says that it is still opening: it names the step."""
    return isinstance(answer.get("starting"), int) and "intent" not in answer


async def _put(path: Path, question: Json) -> Json:
    """One question on a connection of its own. Raises _NobodyError, or what `TROUBLE` lists where
    somebody listens and does not answer.
    """
    try:
        talk = await Talk.open(path, ACKNOWLEDGED)
    except TROUBLE as error:
        raise _NobodyError from error
    try:
        return await talk.put(question, ACKNOWLEDGED)
    finally:
        talk.close()


def _ours(flat: Mapping[str, Any], asked_at: int, now: int) -> set[str]:
    """The flatten that a view tells of, where its end counts as that of ours."""
    if flat.get("ended_at") is None and flat.get("intent"):
        # begun before ours, and seen under way after we asked: its end is after that, too
        return {str(flat["intent"])}
    return {str(flat.get("intent"))} if asked_at <= (flat.get("ended_at") or 0) <= now else set()


async def follow(path: Path, intent: str, say: Callable[[str], None], asked_at: int) -> Asked:
    """Follow a flatten that an engine has taken: to its receipt, or until it makes no progress.

    `asked_at` is when it was asked for (wall clock, nanoseconds). An engine that is flat is done
    within a fraction of a second, and shows its last flatten alone: where two last exits ask at
    once, the receipt of one may be replaced by that of the other before it was seen. So a flatten
    that ended after we asked counts, whoever asked for it: the engine has taken ours, too.
    """
    seen, moved, running = "", time.monotonic(), {intent}
    talk: Talk | None = None
    try:
        while time.monotonic() - moved < PROGRESS:
            try:
                talk = talk or await Talk.open(path, ACKNOWLEDGED)
                view = await talk.put({"type": "look"}, ACKNOWLEDGED)
            except TROUBLE:
                if talk is not None:
                    talk.close()
                talk = None
                await asyncio.sleep(LOOK)
                continue
            if _is_lost(view):
                say("the engine has lost the pen of this account")
                return Asked.LOST
            flat = view.get("flatten") or {}
            running |= _ours(flat, asked_at, int(view.get("at") or 0))
            if receipt := counts(flat, running):
                for line in receipt:
                    say(line)
                return Asked.FLAT
            if (told := progress(view)) != seen:
                seen, moved = told, time.monotonic()
                for line in _lines(flat):
                    say(line)
            await asyncio.sleep(LOOK)
    finally:
        if talk is not None:
            talk.close()
    say(f"the engine has made no progress for {PROGRESS:g} s")
    return Asked.LOST


def counts(flat: Json, intents: Collection[str]) -> list[str]:
    """The receipt of a flatten, if it has ended and is that of one of these intents; empty
    otherwise.
    """
    if flat.get("intent") not in intents or flat.get("ended_at") is None:
        return []
    return [str(line) for line in flat.get("receipt") or ["the engine says flat"]]


def progress(view: Json) -> str:
    """What of a view moves while a flatten gets on: its lines, what waits, and alerts that come and
    go.
    """
    flat = view.get("flatten") or {}
    alerts = sorted(
        f"{alert.get('code')}:{alert.get('target') or alert.get('subject')}"
        for alert in view.get("alerts") or ()
        if alert.get("cured_at") is None
    )
    waits = [str(flat.get(name)) for name in ("waits_until", "waits", "state")]
    return json.dumps(
        [flat.get("lines"), waits, alerts, flat.get("intent")], sort_keys=True, default=str
    )


def _lines(flat: Json) -> list[str]:
    rows = ((row, counted(int(row.get("orders") or 0), "order")) for row in flat.get("lines") or ())
    return [
        f"{row.get('symbol')}: {row.get('held')} held, {orders}, {row.get('state')}"
        for row, orders in rows
    ]


def _is_lost(view: Json) -> bool:
    account = view.get("account") or {}
    return bool(view.get("read_only") or account.get("read_only")) or any(
        alert.get("code") == AlertCode.LEASE_LOST and alert.get("cured_at") is None
        for alert in view.get("alerts") or ()
    )


def _why(answer: Json) -> str:
    if "error" in answer:
        return str(answer["error"])
    refusals = [
        f"{one.get('code')} {one.get('value') or ''}".strip()
        for one in answer.get("refusals") or ()
        if isinstance(one, dict)
    ]
    return "; ".join(refusals) or "its answer is about something else"


async def withdraw(path: Path, intent: str) -> bool:
    """Take the intent back before anything goes out directly; whether the engine says that it has
    taken it already, and works on it.
    """
    try:
        talk = await Talk.open(path, WITHDRAWN)
    except TROUBLE:
        return False
    try:
        told = await talk.put({"type": "withdraw", "intent": intent}, WITHDRAWN)
    except TROUBLE:
        return False
    finally:
        talk.close()
    refusals = (told.get("answer") or {}).get("refusals") or []
    return any(
        one.get("code") == RefusalCode.TOO_LATE and "flatten" in str(one.get("bound"))
        for one in refusals
    )


async def hand_over(path: Path, who: str) -> bool:
    """Ask a holder that answers but refuses to let go of the pen; whether it says within two
    seconds that it does.
    """
    try:
        talk = await Talk.open(path, WITHDRAWN)
    except TROUBLE:
        return False
    try:
        told = await talk.put({"type": "hand-over", "who": who}, 2 * WITHDRAWN)
    except TROUBLE:
        return False
    finally:
        talk.close()
    return told.get("ok") is True
