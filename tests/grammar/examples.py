"""The lines of the console's brief: 26 that are understood, and 10 that are not, with the place
that the error points at.
"""

from engine.grammar.parser import read_macros
from engine.grammar.vocabulary import Vocabulary

SCALP = "buy {1:symbol} risk 0.25% stop -0.4% target 1r half, 2r be after 1r"
MACROS = {"scalp": SCALP}
KNOWN = Vocabulary(
    symbols=("BTC/USD", "ETH/USD", "SOL/USD"),
    focus="BTC/USD",
    currency="USD",
    macros=read_macros(MACROS)[0],
)

UNDERSTOOD = (
    "buy 0.5",
    "buy eth 5000$ stop -1% target 2r",
    "buy btc risk 1% stop -0.8% target 2r",
    "buy sol notional 5% when 185 stop -2% be after 1r",
    "buy btc risk 0.5u at 61,900 stop 61,400 expire 20m post tag breakout",
    "sell eth risk 300$ at ask-2t stop 3,492 target 1r half, 3r rest trail 0.6% after 1r",
    "pause; cancel all; close all; wait flat within 30s; export blotter",
    "close eth 50%",
    "close btc 0.1 at 62,500",
    "target btc 1r 25%, 2r 25%, 64,500 rest",
    'stop sol none because "hedged elsewhere"',
    "trail btc 0.5% after 1r",
    "close",
    "cancel #14",
    "cancel buys",
    "stop btc 61,250",
    "stop be+3t",
    "be eth +2t",
    "close longs",
    "buy btc 0.1 at bid; wait filled within 10s; trail 0.4%",
    "buy preset 2 template scalp",
    "set @lot = 0.25; buy @lot at bid",
    "amend #14 at bid size 0.3",
    "alert btc > 62,500",
    "reverse eth",
    "scalp eth",
)

POINTED = (
    ("by btc 0.5", "^^", "unknown command “by”; did you mean buy?", "buy"),
    ("buy btx 0.5", "    ^^^", "unknown symbol “btx”; did you mean btc?", "btc"),
    (
        "buy btc 62000",
        "        ^^^^^",
        "62,000 looks like a price of BTC/USD: write “at 62000”, and a size before it",
        "",
    ),
    (
        "buy btc 0.5 stop 63000",
        "                 ^^^^^",
        "a stop at 63000 is above the market of 62,063.3: a long’s stop is below",
        "",
    ),
    ("buy btc 0,5", "        ^^^", "use a point for decimals: 0.5", "0.5"),
    ("buy btc risk 1%", "               ^", "risk needs a stop: add “stop -0.8%”", "stop -0.8%"),
    (
        "buy btc 0.5 stop",
        "                ^",
        "place missing, such as a price 61250, -0.8%, -40t, 2r or be",
        "",
    ),
    (
        "close eth 50% now",
        "              ^^^",
        "“now” is one word too many; “;” starts another command",
        "",
    ),
    (
        "sell eth 1 targt 2r",
        "           ^^^^^",
        "“targt” fits nowhere here; after a size: at, when, stop, …",
        "target",
    ),
    ("stop sol none", "             ^", 'removing a stop needs a reason: because "..."', ""),
)
"""Line, where it points, what it says, what mends it."""

NEEDS_A_MARKET = (2, 3)
"""Those of them that only a price can tell."""


def pointer(start: int, end: int) -> str:
    """The line under an error."""
    return " " * start + "^" * max(end - start, 1)
