"""The sections of the settings: each key with its type, its default and what it means."""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from engine.model.rules import (
    Fraction,
    GatewayRules,
    LadderRules,
    ProtectionRules,
    RequestRules,
    RiskRules,
    Rules,
    SymbolRules,
)
from engine.model.secrets import masked
from engine.model.templates import TemplateSettings
from engine.setup.setting_values import of_secret, of_variable
from engine.venues.exchanges import EXCHANGES, PRICES

if TYPE_CHECKING:
    VenueName = str
    SourceName = str
else:  # the table says which there are
    VenueName, SourceName = (
        Literal[("paper", *EXCHANGES)],
        Literal[("simulated", "recorded", *EXCHANGES, *PRICES)],
    )


class AccountSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[account]`: whose money, and where."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,39}\Z")] = "paper"
    """What the account is called: its home folder and its client order ids come from it."""
    venue: VenueName = "paper"
    """Where orders go: paper fills them in this process; kraken and krakenfutures are real, and
    need a key.
    """
    profile: str = "kraken-spot"
    """What the venue can do, and what the paper venue imitates: kraken-spot, kraken-futures or
    binance-spot; an exchange's own where unset.
    """
    rest: str | None = None
    """Where to reach a live venue's REST instead of the internet, such as http://127.0.0.1:8080."""
    ws: str | None = None
    """The same for its streams, such as ws://127.0.0.1:8080/ws."""
    limits: dict[str, str] = {}
    """Options of the venue's limit model, such as { tier = "pro" } at Kraken spot: starter,
    intermediate or pro.
    """
    lag: Annotated[float, Meta(ge=0, le=600)] | None = None
    """Seconds by which the venue's answers may lag behind what happened; 5 at a live venue and 0 on
    paper where unset.
    """
    withdrawals: bool = False
    """Whether a key that may withdraw is taken all the same."""
    currency: str = "USD"
    """The currency that everything is reported in."""
    cash: dict[str, Decimal] = msgspec.field(default_factory=lambda: {"USD": Decimal(100_000)})
    """What a new paper account holds, by currency."""
    volume_30d: Fraction | None = None
    """What was traded in 30 days, in the account's currency: picks the fee tier until a fill of our
    own has shown the rate.
    """


class MarketSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[market]`: where prices come from."""

    source: SourceName = "simulated"
    """Simulated needs nothing; recorded plays `files`; an exchange's name takes its live prices. A
    live account takes its own venue's.
    """
    files: tuple[str, ...] = ()
    """Files of quotes, trades, depth or candles, folders, patterns, zip or gz; merged by time. What
    they are is told from them: see recorded prices.
    """
    reading: str = ""
    """How files are to be read where that can't be told: a format, a unit of times, a symbol, a
    candle's interval, such as `binance-klines ms BTC/JPY 1m`; what `--as` says.
    """
    start: str = ""
    """Where in the recording a session begins: a time such as `2024-08-08T14:02` (UTC), or `14:02`
    of its first day; the first price where empty.
    """
    symbols: tuple[str, ...] = ("BTC/USD", "ETH/USD", "SOL/USD", "XRP/USD")
    """What a simulated or a live market trades."""
    speed: Annotated[float, Meta(gt=0, le=100_000)] = 1.0
    """How much faster than it happened a recorded market is played."""
    seed: int = 1
    """The simulated market's random seed."""
    model: dict[str, str | float | dict[str, str | float]] = {}
    """The simulation's own settings (volatility, jumps, spread, depth, rates): see the market's
    documentation.
    """


class PaperSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[paper]`: how the paper venue answers."""

    delay_p50: Annotated[float, Meta(ge=0)] = 0.04
    """Median seconds from a request to its answer."""
    delay_p99: Annotated[float, Meta(ge=0)] = 0.15
    """The slowest hundredth."""
    timeout: Annotated[float, Meta(gt=0)] = 2.0
    """Seconds after which a lost answer counts as unknown."""
    funding: Decimal = Decimal(0)
    """What longs of perpetuals pay shorts each full hour, as a fraction of the value; below zero,
    shorts pay.
    """
    margin: bool = False
    """Whether spot is sold short on margin, as at the exchange; without it the account lends coins,
    and owes them among its balances.
    """


class JournalSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[journal]`: where events are kept."""

    url: str | None = None
    """A database URL (postgresql://...); SQLite in the account's home where unset."""
    snapshot_every: Annotated[int, Meta(ge=100)] = 20_000
    """Events between snapshots of the state."""
    position_days: Annotated[int, Meta(ge=0)] = 90
    """Days for which the table `position_snapshots` keeps how a position stood; 0 keeps all of
    it.
    """
    failover: Literal["manual", "automatic"] = "manual"
    """Whether `flatout serve --standby` may take a shared journal from an engine that is silent for
    14 s, with nobody's word. Such an engine then sends nothing once its lease ran out. The engine
    that runs and the one that stands by must both say so.
    """

    def __repr__(self) -> str:
        return (
            f"JournalSettings(url={masked(str(self.url))}, snapshot_every={self.snapshot_every},"
            f" position_days={self.position_days}, failover={self.failover})"
        )

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """The same for a traceback that shows what was at hand."""
        return [
            ("url", masked(str(self.url))),
            ("snapshot_every", self.snapshot_every),
            ("position_days", self.position_days),
            ("failover", self.failover),
        ]


class EngineSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[engine]`: the process that an account's engine is."""

    process: Literal["embedded", "child"] = "embedded"
    """Where `flatout` runs the engine: in the console's own process, or as a child that outlives
    the console.
    """
    alone: Literal["stay", "until-flat", "close"] | None = None
    """What an engine of its own does without a console: stay, end once nothing is open, or end in
    any case. Unset: stay under `flatout serve`, until-flat as a child. None of them sells.
    """
    alone_after: Annotated[float, Meta(ge=0)] = 600.0
    """Seconds without a console (and, until-flat, without anything open) before it ends."""


class ConsoleSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[console]`: the screen."""

    theme: str = "flatout-dark"
    """A theme's name: flatout-dark, flatout-light, or one of your own in the folder `themes` beside
    the settings file.
    """
    layout: str = "watch"
    """The layout at the start: watch, trade, desk, review, or one of your own in the folder
    `layouts` beside the settings file.
    """
    fps: Annotated[int, Meta(ge=1, le=30)] = 10
    """Frames per second; where it is not said, 5 over ssh."""
    ascii: bool = False
    """Whether the console draws with ASCII only (`--ascii`): borders, marks, charts and any text;
    what has no letter of its own is `?`.
    """
    screen_reader: bool = False
    """Whether nothing moves by itself but the last-action line, which is shown whole: for a screen
    reader. The panes show what is new with each key; the ladder can't be armed.
    """
    bell: bool = True
    """Whether a CRITICAL alert rings."""
    read_only_until_taken: bool = False
    """Whether the console opens read-only, until `:take`; in a browser (`flatout web`) it always
    does.
    """
    mouse: bool = True
    """Whether clicks and the wheel reach the console; false leaves them to the terminal, which then
    selects text as usual.
    """
    keys: dict[str, str] = {}
    """Other keys by command id: { flatten = "f10" }."""
    presets: tuple[str, ...] = ()
    """Sizes for `preset 1` to `preset 9` of the command line, such as ["0.1", "5000$", "risk
    0.5%"].
    """


class OutletSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[outlets]`: who else is told."""

    notify: str | None = None
    """The environment variable that holds Apprise addresses, separated by spaces: what
    `notify.outside` says goes there. None where unset.
    """
    metrics: Annotated[int, Meta(ge=1, le=65_535)] | None = None
    """The port of 127.0.0.1 at which Prometheus may scrape `/metrics` (needs
    `flatout[prometheus]`). Nothing listens where unset.
    """
    nats: str | None = None
    """A NATS server whose JetStream takes every event, or the environment variable that holds its
    address; tls only, but for this machine (needs `flatout[nats]`).
    """
    websocket: Annotated[int, Meta(ge=1, le=65_535)] | None = None
    """The port of 127.0.0.1 at which scripts of this machine may follow the events over a
    WebSocket, with the token that lies in the account's folder. Nothing listens where unset.
    """
    desk: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,40}\Z")] = "desk"
    """What the subjects of NATS call this installation."""

    @property
    def nats_address(self) -> str | None:
        """The NATS server's address, from the environment where a variable is named; empty where
        that holds none.
        """
        return None if self.nats is None else of_variable(self.nats)

    def __repr__(self) -> str:
        return (
            f"OutletSettings(notify={self.notify}, metrics={self.metrics},"
            f" nats={masked(str(self.nats))}, websocket={self.websocket}, desk={self.desk})"
        )

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """The same for a traceback that shows what was at hand."""
        return [("notify", self.notify), ("nats", masked(str(self.nats)))]


class NotifySettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[notify]`: what is told outside of the console, and a webhook that it is told to."""

    outside: tuple[str, ...] | None = None
    """Which lines of the record go out, by event ("stopped", "naked") or severity ("critical",
    "warning", "info"); "default" stands for what goes out where this is unset.
    """
    webhook: str | None = None
    """An address that takes each such line as JSON, or the environment variable that holds it;
    https only, but for this machine.
    """

    signed_by: str | None = None
    """Where the secret is with which each post to the webhook is signed: an environment variable,
    or a file that only you may read. Unset, nothing is signed.
    """

    @property
    def key(self) -> str:
        """The secret itself; empty where nothing is signed. Raises ValueError where it can't be
        read.
        """
        return "" if self.signed_by is None else of_secret(self.signed_by)

    @property
    def address(self) -> str | None:
        """The webhook's address, from the environment where a variable is named; empty where that
        holds none.
        """
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
    ladder: LadderRules = LadderRules()
    gateway: GatewayRules = GatewayRules()
    journal: JournalSettings = JournalSettings()
    engine: EngineSettings = EngineSettings()
    console: ConsoleSettings = ConsoleSettings()
    outlets: OutletSettings = OutletSettings()
    notify: NotifySettings = NotifySettings()
    symbols: dict[str, SymbolRules] = {}
    templates: dict[str, TemplateSettings] = {}
    commands: dict[str, str] = {}
    """`[commands]`: those that can be used, by name (`engine/setup/command_tables.py`)."""

    @property
    def rules(self) -> Rules:
        """What the desk reads."""
        return Rules(
            risk=self.risk,
            protection=self.protection,
            requests=self.requests,
            ladder=self.ladder,
            volume_30d=self.account.volume_30d,
            symbols=self.symbols,
        )

    def rules_at(self, *, live: bool) -> Rules:
        """What the desk reads at a venue: executions on paper are never told late."""
        if live or self.requests.late is not None:
            return self.rules
        return replace(self.rules, requests=replace(self.requests, late=0.0))


SECTIONS: dict[str, type[Struct]] = {
    name: kind for name, kind in get_type_hints(Settings).items() if isinstance(kind, type)
}
