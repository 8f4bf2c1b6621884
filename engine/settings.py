"""Settings: one TOML file, the environment and flags over documented defaults; each value knows where it came from.

A key is `section.name`. The environment says `FLATOUT_SECTION__NAME`, a flag `--set section.name=value`; both values are read as TOML, or as
plain text where that fails. What a rule reads is defined beside the rule: `[risk]`, `[protection]`, `[requests]` in the desk, `[gateway]` in
the gateway; the rest is here.

The file may also name accounts: `[accounts.NAME]` holds keys of `[account]` and `symbols`, and holds for that account alone, so that
`--account NAME` is enough for every command (`engine/account_tables.py`). The order: defaults, the file's sections, `[accounts.NAME]`, the
environment, `--set`. `[symbols."BTC/USD"]` holds what is one symbol's own (`engine/symbol_tables.py`).
"""

import ast
import difflib
import inspect
import os
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
import platformdirs
from msgspec import Meta, Struct
from msgspec.structs import replace

from engine import account_tables, symbol_tables
from engine.model.rules import Fraction, GatewayRules, ProtectionRules, RequestRules, RiskRules, Rules, SymbolRules
from engine.model.secrets import masked
from engine.setting_lines import located
from engine.setting_values import SettingsError as SettingsError
from engine.setting_values import checked, of_variable, plain
from engine.venues import profiles

APP = "flatout"
PREFIX = "FLATOUT_"


class AccountSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[account]`: whose money, and where."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,39}\Z")] = "paper"
    """What the account is called: its home folder and its client order ids come from it."""
    venue: Literal["paper", "kraken", "krakenfutures"] = "paper"
    """Where orders go: paper fills them in this process; kraken and krakenfutures are real, and need a key."""
    profile: str = "kraken-spot"
    """What the venue can do, and what the paper venue imitates: kraken-spot, kraken-futures or binance-spot; an exchange's own where unset."""
    rest: str | None = None
    """Where to reach a live venue's REST instead of the internet, such as http://127.0.0.1:8080."""
    ws: str | None = None
    """The same for its streams, such as ws://127.0.0.1:8080/ws."""
    limits: dict[str, str] = {}
    """Options of the venue's limit model, such as { tier = "pro" } at Kraken spot: starter, intermediate or pro."""
    lag: Annotated[float, Meta(ge=0, le=600)] | None = None
    """Seconds by which the venue's answers may lag behind what happened; 5 at a live venue and 0 on paper where unset."""
    withdrawals: bool = False
    """Whether a key that may withdraw is taken all the same."""
    currency: str = "USD"
    """The currency that everything is reported in."""
    cash: dict[str, Decimal] = msgspec.field(default_factory=lambda: {"USD": Decimal(100_000)})
    """What a new paper account holds, by currency."""
    volume_30d: Fraction | None = None
    """What was traded in 30 days, in the account's currency: picks the fee tier until a fill of our own has shown the rate."""


class MarketSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[market]`: where prices come from."""

    source: Literal["simulated", "recorded", "kraken", "krakenfutures"] = "simulated"
    """Simulated needs nothing; recorded plays `files`; an exchange's name takes its live prices. A live account takes its own venue's."""
    files: tuple[str, ...] = ()
    """CSV or CSV.gz files of quotes, trades, depth or candles; merged by time."""
    symbols: tuple[str, ...] = ("BTC/USD", "ETH/USD", "SOL/USD", "XRP/USD")
    """What a simulated or a live market trades."""
    speed: Annotated[float, Meta(gt=0, le=100_000)] = 1.0
    """How much faster than it happened a recorded market is played."""
    seed: int = 1
    """The simulated market's random seed."""
    model: dict[str, str | float | dict[str, str | float]] = {}
    """The simulation's own settings (volatility, jumps, spread, depth, rates): see the market's documentation."""


class PaperSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[paper]`: how the paper venue answers."""

    delay_p50: Annotated[float, Meta(ge=0)] = 0.04
    """Median seconds from a request to its answer."""
    delay_p99: Annotated[float, Meta(ge=0)] = 0.15
    """The slowest hundredth."""
    timeout: Annotated[float, Meta(gt=0)] = 2.0
    """Seconds after which a lost answer counts as unknown."""
    funding: Decimal = Decimal(0)
    """What longs of perpetuals pay shorts each full hour, as a fraction of the value; below zero, shorts pay."""
    margin: bool = False
    """Whether spot is sold short on margin, as at the exchange; without it the account lends coins, and owes them among its balances."""


class JournalSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[journal]`: where events are kept."""

    url: str | None = None
    """A database URL (postgresql://...); SQLite in the account's home where unset."""
    snapshot_every: Annotated[int, Meta(ge=100)] = 20_000
    """Events between snapshots of the state."""

    def __repr__(self) -> str:
        return f"JournalSettings(url={masked(str(self.url))}, snapshot_every={self.snapshot_every})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """The same for a traceback that shows what was at hand."""
        return [("url", masked(str(self.url))), ("snapshot_every", self.snapshot_every)]


class ConsoleSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[console]`: the screen."""

    theme: str = "flatout-dark"
    """A theme's name: flatout-dark, flatout-light, or one of your own in the folder `themes` beside the settings file."""
    fps: Annotated[int, Meta(ge=1, le=30)] = 10
    """Frames per second."""
    bell: bool = True
    """Whether a CRITICAL alert rings."""
    read_only_until_taken: bool = False
    """Whether the console opens read-only, until `:take`; in a browser (`flatout web`) it always does."""
    mouse: bool = True
    """Whether clicks and the wheel reach the console; false leaves them to the terminal, which then selects text as usual."""
    keys: dict[str, str] = {}
    """Other keys by command id: { flatten = "f10" }."""


class OutletSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[outlets]`: who else is told."""

    notify: str | None = None
    """The environment variable that holds Apprise addresses, separated by spaces: what `notify.outside` says goes there. None where unset."""


class NotifySettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[notify]`: what is told outside of the console, and a webhook that it is told to."""

    outside: tuple[str, ...] | None = None
    """Which lines of the record go out, by event ("stopped", "naked") or severity ("critical", "warning", "info"); "default" stands for what
    goes out where this is unset."""
    webhook: str | None = None
    """An address that takes each such line as JSON, or the environment variable that holds it; https only, but for this machine."""

    @property
    def address(self) -> str | None:
        """The webhook's address, from the environment where a variable is named; empty where that holds none."""
        return None if self.webhook is None else of_variable(self.webhook)

    def __repr__(self) -> str:
        return f"NotifySettings(outside={self.outside}, webhook={masked(str(self.webhook))})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """The same for a traceback that shows what was at hand."""
        return [("outside", self.outside), ("webhook", masked(str(self.webhook)))]


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of them."""

    account: AccountSettings = AccountSettings()
    market: MarketSettings = MarketSettings()
    paper: PaperSettings = PaperSettings()
    risk: RiskRules = RiskRules()
    protection: ProtectionRules = ProtectionRules()
    requests: RequestRules = RequestRules()
    gateway: GatewayRules = GatewayRules()
    journal: JournalSettings = JournalSettings()
    console: ConsoleSettings = ConsoleSettings()
    outlets: OutletSettings = OutletSettings()
    notify: NotifySettings = NotifySettings()
    symbols: dict[str, SymbolRules] = {}

    @property
    def rules(self) -> Rules:
        """What the desk reads."""
        return Rules(
            risk=self.risk,
            protection=self.protection,
            requests=self.requests,
            volume_30d=self.account.volume_30d,
            symbols=self.symbols,
        )

    def rules_at(self, *, live: bool) -> Rules:
        """What the desk reads at a venue: executions on paper are never told late."""
        if live or self.requests.late is not None:
            return self.rules
        return replace(self.rules, requests=replace(self.requests, late=0.0))


class Loaded(Struct, frozen=True):
    """Effective settings, and where each value that is not a default came from."""

    settings: Settings
    origins: dict[str, str]
    """By key: a file, a table of the file such as accounts.main, an environment variable, a flag."""
    accounts: tuple[str, ...] = ()
    """Accounts that the file names: those of `[accounts.NAME]`, and that of `[account]` where it says a name."""
    explicit: bool = False
    """Whether somebody said which venue is meant for this very account: its own table, the file's `[account]` with its name, the
    environment or a flag. A typo in --account makes it False: the file's `[account]` is about another one."""


PROFILES = {"kraken": "kraken-spot", "krakenfutures": "kraken-futures"}
"""What each exchange can do, unless `account.profile` says otherwise."""

SECTIONS: dict[str, type[Struct]] = {name: kind for name, kind in get_type_hints(Settings).items() if isinstance(kind, type)}


def default_file() -> Path:
    """The settings file of this user; `FLATOUT_SETTINGS` names another."""
    named = os.environ.get(f"{PREFIX}SETTINGS")
    return Path(named) if named else Path(platformdirs.user_config_dir(APP)) / "settings.toml"


def load(file: Path | None = None, flags: Iterable[str] = (), environment: Mapping[str, str] | None = None) -> Loaded:
    """Read and check everything. Raises SettingsError with one clear sentence."""
    environment = os.environ if environment is None else environment
    path = default_file() if file is None else file
    above = [*_from_environment(environment), *_from_flags(flags)]
    base, tables = _from_file(path, required=file is not None)
    name = _named(base, above)
    layers = [*base, *account_tables.layer(tables, name, path, SECTIONS), *above]
    wanted: dict[str, dict[str, Any]] = {}
    origins: dict[str, str] = {}
    for origin, key, value in layers:
        origins[_want(wanted, key, value, origin)] = origin
    _fit_profile(wanted, origins)
    settings = _convert(wanted, origins)
    if settings.account.profile not in profiles.names():
        origin, allowed = origins.get("account.profile", "default"), ", ".join(profiles.names())
        raise SettingsError(f"settings: {origin}: account.profile is {settings.account.profile!r}; allowed: {allowed}")
    _spelled(settings, origins)
    own = _named(base, ())
    sayers = [*above, *(base if own == name else ())]  # the file's [account] is about the account that it names
    explicit = name in tables or any(key == "account.venue" for _, key, _ in sayers)
    named = [own] if any(key == "account.name" for _, key, _ in base) else []
    return Loaded(settings, origins, tuple(dict.fromkeys([*tables, *named])), explicit)


def _spelled(settings: Settings, origins: Mapping[str, str]) -> None:
    """See that no symbol's settings miss the symbol by its spelling: nothing would read them. Raises SettingsError."""
    for symbol, own in settings.symbols.items():
        other = symbol_tables.alike(symbol, settings.market.symbols)
        if other and settings.market.source != "recorded":  # else the files say how they spell it
            field = next((name for name in symbol_tables.FIELDS if getattr(own, name) is not None), "")
            origin = origins.get(symbol_tables.key_of(symbol, field), "default")
            place = located(origin, (symbol_tables.SECTION, symbol))
            raise SettingsError(f'settings: {place}: [symbols."{symbol}"] is read by nothing; did you mean [symbols."{other}"]?')


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
    fitting = PROFILES.get(account.get("venue", ""))
    if fitting is not None and "profile" not in account:
        account["profile"], origins["account.profile"] = fitting, f"account.venue ({origins['account.venue']})"


def with_values(settings: Settings, values: Mapping[str, object], origin: str) -> Settings:
    """`settings` with some keys changed, checked like a file's. Raises SettingsError."""
    wanted = plain(msgspec.to_builtins(settings))
    origins = {}
    for key, value in values.items():
        origins[_want(wanted, key, plain(value), origin)] = origin
    return _convert(wanted, origins)


def _want(wanted: dict[str, dict[str, Any]], key: str, value: object, origin: str) -> str:
    """Put a value to its section, or to its symbol; returns the key as origins know it. Raises SettingsError for a key that is none."""
    section, _, name = key.partition(".")
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


def _from_file(path: Path, *, required: bool) -> tuple[list[account_tables.Told], dict[str, dict[str, Any]]]:
    """The file's sections as a list, and its tables `[accounts.NAME]`. Raises SettingsError."""
    if not path.exists():
        if required:
            raise SettingsError(f"settings: there is no file {path}")
        return [], {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"settings: {path} can't be read: {error}") from error
    try:
        accounts = account_tables.checked(tables.pop(account_tables.SECTION, {}), path, SECTIONS)
    except account_tables.TableError as error:
        raise SettingsError(str(error)) from error
    told: list[account_tables.Told] = []
    for section, table in tables.items():
        if section == symbol_tables.SECTION:
            try:
                told.extend((str(path), key, value) for key, value in symbol_tables.told(table))
            except symbol_tables.SymbolError as error:
                raise SettingsError(f"settings: {located(str(path), (section,))}: {error}") from error
            continue
        if not isinstance(table, dict):
            raise SettingsError(f"settings: {path}: {section} stands outside of a section; allowed sections: {', '.join(SECTIONS)}")
        told.extend((str(path), f"{section}.{name}", value) for name, value in table.items())
    return told, accounts


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, str, object]]:
    told: list[tuple[str, str, object]] = []
    for variable, text in sorted(environment.items()):
        section, separator, name = variable.removeprefix(PREFIX).partition("__")
        if variable.startswith(PREFIX) and separator:
            if section.lower() == symbol_tables.SECTION:
                raise SettingsError(
                    f"settings: {variable}: a variable can't name a symbol; write it into the file, or --set symbols.BTC/USD.max_size=1"
                )
            told.append((variable, f"{section.lower()}.{name.lower()}", _value(text)))
    return told


def _from_flags(flags: Iterable[str]) -> list[tuple[str, str, object]]:
    told: list[tuple[str, str, object]] = []
    for flag in flags:
        key, separator, text = flag.partition("=")
        if not separator or "." not in key:
            raise SettingsError(f"settings: --set {flag!r} is not of the form section.name=value")
        told.append(("--set", key.strip(), _value(text.strip())))
    return told


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}", parse_float=str)["value"]
    except tomllib.TOMLDecodeError:
        return text


def _known(section: str, name: str, origin: str) -> None:
    keys = [f"{known}.{field}" for known, kind in SECTIONS.items() for field in kind.__struct_fields__]
    key = f"{section}.{name}"
    if key in keys:
        return
    near = difflib.get_close_matches(key, keys, n=1) or [k for k in keys if k.endswith(f".{name}")]
    hint = f"; did you mean {near[0]}?" if near else f"; sections are {', '.join((*SECTIONS, symbol_tables.SECTION))}"
    raise SettingsError(f"settings: {located(origin, (section, name))}: unknown key {key}{hint}")


def _convert(wanted: Mapping[str, Mapping[str, Any]], origins: Mapping[str, str]) -> Settings:
    made: dict[str, Any] = {}
    for section, kind in SECTIONS.items():
        hints = get_type_hints(kind, include_extras=True)
        values = {}
        for name, value in wanted.get(section, {}).items():
            key = f"{section}.{name}"
            values[name] = checked(key, (section, name), value, hints[name], origins.get(key, "default"))
        if section in wanted:
            made[section] = kind(**values)
    return Settings(**made, symbols=_symbols(wanted.get(symbol_tables.SECTION, {}), origins))


def _symbols(wanted: Mapping[str, Mapping[str, Any]], origins: Mapping[str, str]) -> dict[str, SymbolRules]:
    """The rules of each symbol that is named. Raises SettingsError."""
    made: dict[str, SymbolRules] = {}
    hints = get_type_hints(SymbolRules, include_extras=True)
    for symbol, fields in wanted.items():
        values = {}
        for name, value in fields.items():
            key = symbol_tables.key_of(symbol, name)
            values[name] = checked(key, (symbol_tables.SECTION, symbol, name), value, hints[name], origins.get(key, "default"))
        made[symbol] = SymbolRules(**values)
        try:
            symbol_tables.agree(symbol, made[symbol])
        except symbol_tables.SymbolError as error:
            key = str(error).partition(" is ")[0]
            origin = located(origins.get(key, "default"), (symbol_tables.SECTION, symbol, key.rpartition(".")[2]))
            raise SettingsError(f"settings: {origin}: {error}") from error
    return made


def describe() -> dict[str, str]:
    """The documentation of each key, as it stands beside its definition."""
    told: dict[str, str] = {}
    kinds: dict[str, type[Struct]] = {**SECTIONS, symbol_tables.SECTION: SymbolRules}
    for section, kind in kinds.items():
        body = ast.parse(inspect.getsource(kind)).body[0]
        assert isinstance(body, ast.ClassDef)
        name = ""
        for node in body.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name = node.target.id
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and name:
                told[f"{section}.{name}"] = " ".join(str(node.value.value).split())
    return told


def shown(value: object) -> str:
    """A value as it would stand in the file."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {shown(inner)}" for name, inner in value.items()) + " }" if value else "{}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(shown(inner) for inner in value) + "]"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
