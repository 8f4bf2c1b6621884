"""One value of the settings: of the kind that its key has, within its bounds, and of use; or one sentence that says why not."""

import difflib
import os
import zoneinfo
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, get_args

import msgspec
from msgspec import Meta

from engine.model import day
from engine.model.address import refused
from engine.model.secrets import of_url, remember
from engine.setting_lines import located


class SettingsError(Exception):
    """A setting that can't be used; the text names the place, the key, the value and what is allowed."""


def plain(value: object) -> Any:
    """Decimals as text, so that one lax conversion serves Decimal and float alike."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return str(value) if isinstance(value, Decimal | float) else value


def checked(key: str, path: tuple[str, ...], value: object, kind: Any, origin: str) -> Any:
    """A value as its kind says, within its bounds. Raises SettingsError, which names place, key, value and what is allowed."""
    try:
        checked = msgspec.convert(plain(value), kind, strict=False)
    except msgspec.ValidationError as error:
        reason = str(error).replace("Expected", "expected").replace(" - at `$`", "")
        raise SettingsError(f"settings: {located(origin, path)}: {key} is {value!r}; {reason}") from error
    if isinstance(checked, Decimal | float) and (bound := _outside(Decimal(checked), _bounds(kind))):
        raise SettingsError(f"settings: {located(origin, path)}: {key} is {value!r}; expected {bound}")
    if why := _unusable(key, checked):
        raise SettingsError(f"settings: {located(origin, path)}: {key} is {checked!r}; {why}")
    return checked


def _outside(number: Decimal, bounds: Mapping[str, int]) -> str:
    """What a number should have been; empty where it is that."""
    words = {"minimum": "from {} up", "above": "above {}", "below": "below {}"}
    within = number.is_finite() and all(
        number >= bound if name == "minimum" else number > bound if name == "above" else number < bound for name, bound in bounds.items()
    )
    return (
        "" if within else " and ".join(["a finite number", *(words[name].format(bound) for name, bound in bounds.items())]).replace(" and ", " ", 1)
    )


def _unusable(key: str, value: object) -> str:
    """Why a value of the right kind is no use: a door that lets a key leave unencrypted, a zone that is none. Passwords are never told."""
    if key in ("account.rest", "account.ws") and isinstance(value, str):
        return refused(key.partition(".")[2], value)
    if key == "journal.url" and isinstance(value, str):
        remember(of_url(value))
    if key == "outlets.notify" and isinstance(value, str):
        remember(os.environ.get(value, "").split())
    if key == "risk.day_zone":
        return _no_zone(str(value))
    return ""


def _no_zone(name: str) -> str:
    """Why a name is no time zone; empty for one."""
    try:
        day.zone_of(name)
    except ValueError:
        near = difflib.get_close_matches(name, zoneinfo.available_timezones(), n=1)
        return f"did you mean {near[0]}?" if near else "expected an IANA name such as UTC or America/New_York"
    return ""


def _bounds(kind: object) -> Mapping[str, int]:
    """The bounds that a Decimal's annotation carries: minimum, above, below."""
    for part in (*get_args(kind), *getattr(kind, "__metadata__", ())):
        if isinstance(part, Meta) and part.extra:
            return part.extra
        if get_args(part) and (nested := _bounds(part)):
            return nested
    return {}
