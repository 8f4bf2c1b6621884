"""One value of the settings: of the kind that its key has, within its bounds, and of use; or one
sentence that says why not.
"""

import difflib
import os
import re
import stat
import zoneinfo
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import msgspec
from msgspec import Meta

from engine.model import day
from engine.model.address import refused
from engine.model.secrets import of_url, remember
from engine.model.telling import names as events_told
from engine.setup.setting_lines import located

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""How an environment variable is called: no address looks like it."""

ADDRESSES = {"notify.webhook": "webhook", "outlets.nats": "nats"}
"""Keys of addresses that may stand in an environment variable, and what each is for."""
HIDDEN = {**dict.fromkeys(ADDRESSES, "an address that"), "notify.signed_by": "a text that"}
"""Keys whose value is not repeated where it is wrong."""


_PLACE = re.compile(r"[A-Z_][A-Z0-9_]*|[/~].+")
"""An environment variable or a file: what is neither may be the secret itself."""


class SettingsError(Exception):
    """A setting that can't be used; the text names the place, the key, the value and what is
    allowed.
    """


def plain(value: object) -> Any:
    """Decimals as text, so that one lax conversion serves Decimal and float alike."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return str(value) if isinstance(value, Decimal | float) else value


def checked(key: str, path: tuple[str, ...], value: object, kind: Any, origin: str) -> Any:
    """A value as its kind says, within its bounds. Raises SettingsError, which names place, key,
    value and what is allowed.
    """
    try:
        checked = msgspec.convert(plain(value), kind, strict=False)
    except msgspec.ValidationError as error:
        reason = str(error).replace("Expected", "expected").replace(" - at `$`", "")
        raise SettingsError(
            f"settings: {located(origin, path)}: {key} is {value!r}; {reason}"
        ) from error
    if isinstance(checked, Decimal | float) and (bound := _outside(Decimal(checked), bounds(kind))):
        raise SettingsError(
            f"settings: {located(origin, path)}: {key} is {value!r}; expected {bound}"
        )
    if why := _unusable(key, checked):
        shown = HIDDEN.get(key, f"{checked!r};")
        raise SettingsError(f"settings: {located(origin, path)}: {key} is {shown} {why}")
    return checked


def _outside(number: Decimal, bounds: Mapping[str, int]) -> str:
    """What a number should have been; empty where it is that."""
    words = {"minimum": "from {} up", "above": "above {}", "below": "below {}"}
    within = number.is_finite() and all(
        number >= bound
        if name == "minimum"
        else number > bound
        if name == "above"
        else number < bound
        for name, bound in bounds.items()
    )
    return (
        ""
        if within
        else " and ".join(
            ["a finite number", *(words[name].format(bound) for name, bound in bounds.items())]
        ).replace(" and ", " ", 1)
    )


def _unusable(key: str, value: object) -> str:
    """Why a value of the right kind is no use: a door that lets a key leave unencrypted, a zone
    that is none. Passwords are never told.
    """
    if key in ("account.rest", "account.ws") and isinstance(value, str):
        return refused(key.partition(".")[2], value)
    if key == "journal.url" and isinstance(value, str):
        remember(of_url(value))
    if key == "outlets.notify" and isinstance(value, str):
        remember(os.environ.get(value, "").split())
    if key in ADDRESSES and isinstance(value, str) and (address := of_variable(value)):
        remember([address, *of_url(address)])
        return (why := refused(ADDRESSES[key], address)) and f"can't be used: {why}"
    if key == "notify.signed_by" and isinstance(value, str) and not _PLACE.fullmatch(value):
        return "is no name: it must name an environment variable or a file, not the secret itself"
    if key == "notify.outside" and isinstance(value, tuple):
        return next((why for name in value if (why := _no_event(name))), "")
    if key == "risk.day_zone":
        return _no_zone(str(value))
    return ""


def of_variable(text: str) -> str:
    """An address as it stands, or as the environment variable holds it that is named in its place;
    empty where that holds none.
    """
    return os.environ.get(text, "").strip() if _VARIABLE.fullmatch(text) else text


def of_secret(place: str) -> str:
    """The secret in an environment variable, or in a file that only its owner may read. It is told
    nowhere from then on. Raises ValueError.
    """
    if _VARIABLE.fullmatch(place):
        found = os.environ.get(place, "")
    else:
        path = Path(place).expanduser()
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o077:
                raise ValueError(
                    f"{path} may be read by others (mode {mode:04o}): chmod 600 {path}"
                )
            found = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ValueError(f"{path} can't be read") from None
    if not found:
        raise ValueError(f"{place} holds no secret")
    remember([found])
    return found


def _no_event(name: str) -> str:
    """Why a name is nothing that is told; empty for an event or a severity."""
    if name in (known := events_told()):
        return ""
    near = difflib.get_close_matches(name, known, n=1)
    return f"{name!r} is no event; " + (
        f"did you mean {near[0]}?" if near else f"allowed: {', '.join(known)}"
    )


def _no_zone(name: str) -> str:
    """Why a name is no time zone; empty for one."""
    try:
        day.zone_of(name)
    except ValueError:
        near = difflib.get_close_matches(name, zoneinfo.available_timezones(), n=1)
        return (
            f"did you mean {near[0]}?"
            if near
            else "expected an IANA name such as UTC or America/New_York"
        )
    return ""


def bounds(kind: object) -> Mapping[str, int]:
    """The bounds that a Decimal's annotation carries: minimum, above, below."""
    for part in (*get_args(kind), *getattr(kind, "__metadata__", ())):
        if isinstance(part, Meta) and part.extra:
            return part.extra
        if get_args(part) and (nested := bounds(part)):
            return nested
    return {}
