"""Settings: one TOML file, the environment and flags over documented defaults; each value knows where it came from.

A key is `section.name`. The environment says `FLATOUT_SECTION__NAME`, a flag `--set section.name=value`; both values are read as TOML, or as
plain text where that fails. What a rule reads is defined beside the rule: `[risk]`, `[protection]`, `[requests]` in the desk, `[gateway]` in
the gateway; the rest is here.

The file may also name accounts: `[accounts.NAME]` holds keys of `[account]` and `symbols`, and holds for that account alone, so that
`--account NAME` is enough for every command (`engine/account_tables.py`). The order: defaults, the file's sections, `[accounts.NAME]`, the
environment, `--set`.
"""

import ast
import difflib
import inspect
import os
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
import platformdirs
from msgspec import Meta, Struct

from engine import account_tables
from engine.model.address import refused
from engine.model.rules import Fraction, GatewayRules, ProtectionRules, RequestRules, RiskRules, Rules
from engine.model.secrets import masked, of_url, remember
from engine.venues import profiles

APP = "flatout"
PREFIX = "FLATOUT_"


class SettingsError(Exception):
    """A setting that can't be used; the text names the place, the key, the value and what is allowed."""


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
    keys: dict[str, str] = {}
    """Other keys by command id: { flatten = "f10" }."""


class OutletSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[outlets]`: who else is told."""

    notify: str | None = None
    """The environment variable that holds Apprise addresses, separated by spaces: CRITICAL alerts go there. None are sent where unset."""


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

    @property
    def rules(self) -> Rules:
        """What the desk reads."""
        return Rules(risk=self.risk, protection=self.protection, requests=self.requests, volume_30d=self.account.volume_30d)


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
        section, _, field = key.partition(".")
        _known(section, field, origin)
        wanted.setdefault(section, {})[field] = value
        origins[key] = origin
    _fit_profile(wanted, origins)
    settings = _convert(wanted, origins)
    if settings.account.profile not in profiles.names():
        origin, allowed = origins.get("account.profile", "default"), ", ".join(profiles.names())
        raise SettingsError(f"settings: {origin}: account.profile is {settings.account.profile!r}; allowed: {allowed}")
    own = _named(base, ())
    sayers = [*above, *(base if own == name else ())]  # the file's [account] is about the account that it names
    explicit = name in tables or any(key == "account.venue" for _, key, _ in sayers)
    named = [own] if any(key == "account.name" for _, key, _ in base) else []
    return Loaded(settings, origins, tuple(dict.fromkeys([*tables, *named])), explicit)


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
    wanted = _plain(msgspec.to_builtins(settings))
    origins = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        _known(section, name, origin)
        wanted[section][name] = _plain(value)
        origins[key] = origin
    return _convert(wanted, origins)


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
        if not isinstance(table, dict):
            raise SettingsError(f"settings: {path}: {section} stands outside of a section; allowed sections: {', '.join(SECTIONS)}")
        told.extend((str(path), f"{section}.{name}", value) for name, value in table.items())
    return told, accounts


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, str, object]]:
    told: list[tuple[str, str, object]] = []
    for variable, text in sorted(environment.items()):
        section, separator, name = variable.removeprefix(PREFIX).partition("__")
        if variable.startswith(PREFIX) and separator:
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
    hint = f"; did you mean {near[0]}?" if near else f"; sections are {', '.join(SECTIONS)}"
    raise SettingsError(f"settings: {origin}: unknown key {key}{hint}")


def _plain(value: object) -> Any:
    """Decimals as text, so that one lax conversion serves Decimal and float alike."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Decimal | float) else value


def _convert(wanted: Mapping[str, Mapping[str, Any]], origins: Mapping[str, str]) -> Settings:
    sections: dict[str, dict[str, Any]] = {}
    for section, values in wanted.items():
        for name, value in values.items():
            key = f"{section}.{name}"
            kind = get_type_hints(SECTIONS[section], include_extras=True)[name]
            try:
                checked = msgspec.convert(_plain(value), kind, strict=False)
            except msgspec.ValidationError as error:
                reason = str(error).replace("Expected", "expected").replace(" - at `$`", "")
                raise SettingsError(f"settings: {origins.get(key, 'default')}: {key} is {value!r}; {reason}") from error
            if isinstance(checked, Decimal | float):
                least = _minimum(kind)
                if not Decimal(checked).is_finite() or (least is not None and checked < least):
                    bound = "a finite number" if least is None else f"a finite number from {least} up"
                    raise SettingsError(f"settings: {origins.get(key, 'default')}: {key} is {value!r}; expected {bound}")
            _safe(key, checked, origins.get(key, "default"))
            sections.setdefault(section, {})[name] = checked
    made: dict[str, Any] = {section: SECTIONS[section](**values) for section, values in sections.items()}
    return Settings(**made)


def _safe(key: str, value: object, origin: str) -> None:
    """See that no key leaves unencrypted, and that no password that stands here is told. Raises SettingsError."""
    if key in ("account.rest", "account.ws") and isinstance(value, str) and (why := refused(key.partition(".")[2], value)):
        raise SettingsError(f"settings: {origin}: {key} is {value!r}; {why}")
    if key == "journal.url" and isinstance(value, str):
        remember(of_url(value))
    if key == "outlets.notify" and isinstance(value, str):
        remember(os.environ.get(value, "").split())


def _minimum(kind: object) -> int | None:
    """The bound that a Decimal's annotation carries."""
    for part in (*get_args(kind), *getattr(kind, "__metadata__", ())):
        if isinstance(part, Meta) and part.extra and "minimum" in part.extra:
            return int(part.extra["minimum"])
        nested = _minimum(part) if get_args(part) else None
        if nested is not None:
            return nested
    return None


def describe() -> dict[str, str]:
    """The documentation of each key, as it stands beside its definition."""
    told: dict[str, str] = {}
    for section, kind in SECTIONS.items():
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
