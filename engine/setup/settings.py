"""Settings: one TOML file, the environment and flags over documented defaults; each value knows
where it came from.

A key is `section.name`. The environment says `FLATOUT_SECTION__NAME`, a flag `--set
section.name=value`; both values are read as TOML, or as plain text where that fails. What a rule
reads is defined beside the rule: `[risk]`, `[protection]`, `[requests]` in the desk, `[gateway]` in
the gateway; the rest is here.

The file may also name accounts: `[accounts.NAME]` holds keys of `[account]` and `symbols`, and
holds for that account alone, so that `--account NAME` is enough for every command
(`engine/setup/account_tables.py`). The order: defaults, the file's sections, `[accounts.NAME]`, the
environment, `--set`. `[symbols."BTC/USD"]` holds what is one symbol's own
(`engine/setup/symbol_tables.py`), `[templates.scalp]` what an entry says that names the template
(`engine/setup/template_tables.py`), `[commands]` commands of one's own
(`engine/setup/command_tables.py`).
"""

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import platformdirs
from msgspec import Struct
from msgspec.structs import replace

from engine.model.rules import SymbolRules
from engine.setup import account_tables, command_tables, symbol_tables, template_tables
from engine.setup.sections import SECTIONS, AccountSettings, Settings
from engine.setup.setting_lines import located
from engine.setup.setting_values import SettingsError as SettingsError
from engine.setup.setting_values import checked, plain
from engine.setup.sources import PREFIX, from_environment, from_file, from_flags
from engine.venues import profiles
from engine.venues.exchanges import EXCHANGES

APP = "flatout"


class Loaded(Struct, frozen=True):
    """Effective settings, and where each value that is not a default came from."""

    settings: Settings
    origins: dict[str, str]
    """By key: a file, a table of the file such as accounts.main, an environment variable, a flag.
    """
    accounts: tuple[str, ...] = ()
    """Accounts that the file names: those of `[accounts.NAME]`, and that of `[account]` where it
    says a name.
    """
    explicit: bool = False
    """Whether somebody said which venue is meant for this very account: its own table, the file's
    `[account]` with its name, the environment or a flag. A typo in --account makes it False: the
    file's `[account]` is about another one.
    """
    faults: tuple[str, ...] = ()
    """What of templates and commands is left out, a sentence each."""


def default_file() -> Path:
    """The settings file of this user; `FLATOUT_SETTINGS` names another."""
    named = os.environ.get(f"{PREFIX}SETTINGS")
    return Path(named) if named else Path(platformdirs.user_config_dir(APP)) / "settings.toml"


def load(
    file: Path | None = None,
    flags: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    """Read and check everything. Raises SettingsError with one clear sentence."""
    environment = os.environ if environment is None else environment
    path = default_file() if file is None else file
    above = [*from_environment(environment), *from_flags(flags)]
    base, tables = from_file(path, required=file is not None)
    name = _named(base, above)
    layers = [*base, *account_tables.layer(tables, name, path, SECTIONS), *above]
    wanted: dict[str, dict[str, Any]] = {}
    origins: dict[str, str] = {}
    for origin, key, value in layers:
        origins[_want(wanted, key, value, origin)] = origin
    _fit_profile(wanted, origins)
    settings, faults = _converted(wanted, origins)
    if settings.account.profile not in profiles.names():
        origin, allowed = origins.get("account.profile", "default"), ", ".join(profiles.names())
        raise SettingsError(
            f"settings: {origin}: account.profile is {settings.account.profile!r}; allowed:"
            f" {allowed}"
        )
    _spelled(settings, origins)
    own = _named(base, ())
    # the file's [account] is about the account that it names
    sayers = [*above, *(base if own == name else ())]
    explicit = name in tables or any(key == "account.venue" for _, key, _ in sayers)
    named = [own] if any(key == "account.name" for _, key, _ in base) else []
    return Loaded(settings, origins, tuple(dict.fromkeys([*tables, *named])), explicit, faults)


def _spelled(settings: Settings, origins: Mapping[str, str]) -> None:
    """See that no symbol's settings miss the symbol by its spelling: nothing would read them.
    Raises SettingsError.
    """
    for symbol, own in settings.symbols.items():
        other = symbol_tables.alike(symbol, settings.market.symbols)
        if other and settings.market.source != "recorded":  # else the files say how they spell it
            field = next(
                (name for name in symbol_tables.FIELDS if getattr(own, name) is not None), ""
            )
            origin = origins.get(symbol_tables.key_of(symbol, field), "default")
            place = located(origin, (symbol_tables.SECTION, symbol))
            raise SettingsError(
                f'settings: {place}: [symbols."{symbol}"] is read by nothing; did you mean'
                f' [symbols."{other}"]?'
            )


def _named(base: Iterable[account_tables.Told], above: Iterable[account_tables.Told]) -> str:
    """The account's name, before anything else is known of it."""
    name = AccountSettings().name
    for _, key, value in (*base, *above):
        if key == "account.name":
            name = str(value)
    return name


def _fit_profile(wanted: dict[str, dict[str, Any]], origins: dict[str, str]) -> None:
    """Where nobody said a profile, an exchange's own: Kraken Futures is no Kraken spot."""
    account = wanted.get("account", {})
    exchange = EXCHANGES.get(account.get("venue", ""))
    if exchange is not None and "profile" not in account:
        account["profile"], origins["account.profile"] = (
            exchange.profile,
            f"account.venue ({origins['account.venue']})",
        )


def with_values(settings: Settings, values: Mapping[str, object], origin: str) -> Settings:
    """`settings` with some keys changed, checked like a file's. Raises SettingsError."""
    wanted = plain(msgspec.to_builtins(settings))
    origins = {}
    for key, value in values.items():
        origins[_want(wanted, key, plain(value), origin)] = origin
    made, faults = _converted(wanted, origins)
    if faults:
        raise SettingsError(faults[0])
    return made


def _want(wanted: dict[str, dict[str, Any]], key: str, value: object, origin: str) -> str:
    """Put a value to its section, or to its symbol; returns the key as origins know it. Raises
    SettingsError for a key that is none.
    """
    section, _, name = key.partition(".")
    if section == command_tables.SECTION:
        wanted.setdefault(section, {})[name] = value
        return key
    if section == template_tables.SECTION:
        template, field = template_tables.parted(name)
        wanted.setdefault(section, {}).setdefault(template, {})[field] = value
        return template_tables.key_of(template, field)
    if section != symbol_tables.SECTION:
        _known(section, name, origin)
        wanted.setdefault(section, {})[name] = value
        return key
    try:
        symbol, field = symbol_tables.parted(name)
    except symbol_tables.SymbolError as error:
        found = located(origin, (section, *(part.strip("\"'") for part in name.rsplit(".", 1))))
        raise SettingsError(f"settings: {found}: {error}") from error
    wanted.setdefault(section, {}).setdefault(symbol, {})[field] = value
    return symbol_tables.key_of(symbol, field)


def _known(section: str, name: str, origin: str) -> None:
    keys = [
        f"{known}.{field}" for known, kind in SECTIONS.items() for field in kind.__struct_fields__
    ]
    key = f"{section}.{name}"
    if key in keys:
        return
    near = difflib.get_close_matches(key, keys, n=1) or [k for k in keys if k.endswith(f".{name}")]
    hint = (
        f"; did you mean {near[0]}?"
        if near
        else f"; sections are {', '.join((*SECTIONS, symbol_tables.SECTION))}"
    )
    raise SettingsError(f"settings: {located(origin, (section, name))}: unknown key {key}{hint}")


def _converted(
    wanted: Mapping[str, Mapping[str, Any]], origins: Mapping[str, str]
) -> tuple[Settings, tuple[str, ...]]:
    """The settings, and what of templates and commands is left out. Raises SettingsError for
    all else.
    """
    settings = _convert(wanted, origins)
    templates, faults = template_tables.read(wanted.get(template_tables.SECTION, {}), origins)
    without = dict(template_tables.known_only(settings.symbols, templates, origins))
    symbols = {
        name: replace(own, template=None) if name in without else own
        for name, own in settings.symbols.items()
    }
    commands, left_out = command_tables.read(wanted.get(command_tables.SECTION, {}), origins)
    presets = command_tables.preset_faults(settings.console.presets, origins)
    told = (*faults, *without.values(), *left_out, *presets)
    return replace(settings, templates=templates, symbols=symbols, commands=commands), told


def _convert(wanted: Mapping[str, Mapping[str, Any]], origins: Mapping[str, str]) -> Settings:
    made: dict[str, Any] = {}
    for section, kind in SECTIONS.items():
        if section not in wanted:
            continue
        hints = get_type_hints(kind, include_extras=True)
        values = {}
        for name, value in wanted[section].items():
            key = f"{section}.{name}"
            values[name] = checked(
                key, (section, name), value, hints[name], origins.get(key, "default")
            )
        made[section] = kind(**values)
    return Settings(**made, symbols=_symbols(wanted.get(symbol_tables.SECTION, {}), origins))


def _symbols(
    wanted: Mapping[str, Mapping[str, Any]], origins: Mapping[str, str]
) -> dict[str, SymbolRules]:
    """The rules of each symbol that is named. Raises SettingsError."""
    made: dict[str, SymbolRules] = {}
    if not wanted:
        return made
    hints = get_type_hints(SymbolRules, include_extras=True)
    for symbol, fields in wanted.items():
        values = {}
        for name, value in fields.items():
            key = symbol_tables.key_of(symbol, name)
            values[name] = checked(
                key,
                (symbol_tables.SECTION, symbol, name),
                value,
                hints[name],
                origins.get(key, "default"),
            )
        made[symbol] = SymbolRules(**values)
        try:
            symbol_tables.agree(symbol, made[symbol])
        except symbol_tables.SymbolError as error:
            key = str(error).partition(" is ")[0]
            origin = located(
                origins.get(key, "default"), (symbol_tables.SECTION, symbol, key.rpartition(".")[2])
            )
            raise SettingsError(f"settings: {origin}: {error}") from error
    return made
