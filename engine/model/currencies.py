"""The currencies that things are quoted in, and a name such as BTCUSDT, XBT_USD or BTC-USD-SWAP as
what it stands for.
"""

import re
from typing import NamedTuple


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


RENAMED = {"XBT": "BTC", "XDG": "DOGE", "XXBT": "BTC", "XETH": "ETH", "XXDG": "DOGE"}
FIAT = _words("""
    USD EUR GBP JPY CHF AUD CAD NZD KRW TRY BRL RUB UAH ZAR MXN PLN SEK NOK DKK CZK HUF RON INR
    IDR SGD HKD THB PHP VND AED NGN ARS COP CLP PEN ILS KZT CNY TWD MYR PKR
""")
STABLE = _words("""
    USDT USDC BUSD TUSD FDUSD USDP PYUSD USDE USD1 USDD GUSD SUSD UST USTC PAX DAI EURT EURS EURI
    EURR EURC AEUR EUROC RLUSD USDQ USDR BIDR IDRT BVND BRZ BKRW XUSD
""")
COINS = _words("""
    BTC ETH BNB XRP SOL DOGE ADA TRX DOT LTC BCH LINK AVAX MATIC POL XLM ETC EOS XMR ATOM NEAR UNI
    AAVE FIL APT ARB OP SUI TON SHIB PEPE ICP ALGO XTZ ZEC DASH NEO IOTA VET SAND MANA GRT SNX CRV
    COMP MKR YFI SUSHI INJ SEI TIA WIF BONK FTM RUNE KSM CAKE HBAR QNT LDO IMX STX FLOW EGLD AXS
    CHZ GALA ENJ BAT ZRX OMG KNC SNT WAVES QTUM ONT ICX ZIL RVN SC DGB NANO XVG LUNA LUNC FTT SRM
    HT OKB CRO LEO HYPE WLD JUP PYTH ENA JTO ORDI KAS TAO FET RNDR RENDER AR THETA XEM GNO REP MLN
    PAXG WBTC STETH
""")
QUOTING_COINS = _words("""
    BTC ETH BNB XRP TRX DOGE DOT SOL
""")
USUAL = ("USDT", "USD", "USDC", "EUR", "BTC", "FDUSD", "GBP")
"""The quote that is believed where a name can be cut in two places: PAXGUSD is PAXG/USD."""
QUOTES = FIAT | STABLE | QUOTING_COINS
"""What prices are told in."""
LEGACY = re.compile(r"^X([A-Z]{3})Z([A-Z]{3})$")
DATED = re.compile(r"^\d{6}$|^\d{8}$")
PERPETUAL = frozenset({"PERP", "SWAP", "PERPETUAL"})
DELIMITERS = re.compile(r"[/:_\-. ]+")


class Pair(NamedTuple):
    """What a name stands for."""

    base: str
    quote: str
    contract: str = ""
    """Empty for a spot pair; PERP, or the digits of a date."""


def renamed(currency: str) -> str:
    """A currency by its usual name: XBT is BTC."""
    return RENAMED.get(currency, currency)


def joined(text: str) -> tuple[str, str] | None:
    """Base and quote of a name without anything between them; None where that can't be told."""
    name = text.upper()
    if legacy := LEGACY.match(name):
        base, quote = legacy.groups()
        if quote in QUOTES:
            return renamed(base), quote
    found: list[tuple[str, str]] = []
    for length in range(min(5, len(name) - 1), 2, -1):
        quote = renamed(name[-length:])
        if quote in QUOTES:
            found.append((renamed(name[:-length]), quote))
    known = [pair for pair in found if pair[0] in COINS or pair[0] in FIAT or pair[0] in STABLE]
    usual = [pair for pair in known if pair[1] in USUAL]
    return next(iter(usual or known or found), None)


def pair_of(text: str) -> Pair | None:
    """What an exchange's name of a market stands for; None where its quote can't be told."""
    parts = [part.upper() for part in DELIMITERS.split(text) if part]
    contract = ""
    while len(parts) > 1 and (parts[-1] in PERPETUAL or DATED.match(parts[-1])):
        contract = "PERP" if parts[-1] in PERPETUAL else parts[-1]
        parts.pop()
    if len(parts) == 1:
        name = parts[0]
        for word in PERPETUAL:
            if name.endswith(word) and len(name) > len(word) + 1:
                name, contract = name.removesuffix(word), "PERP"
        pair = joined(name)
        if pair is None and contract == "PERP":
            pair = renamed(name), "USD"  # by custom: BTC-PERP
        return None if pair is None else Pair(*pair, contract)
    if len(parts) >= 2 and renamed(parts[1]) in QUOTES:
        return Pair(renamed(parts[0]), renamed(parts[1]), contract)
    return None


def symbol_of(text: str) -> str | None:
    """A name as a symbol of ours: BTC/USDT, BTC/USDT:USDT for a perpetual whose profit is paid in
    the quote, BTC/USD:BTC for one that is paid in the base (a price in USD itself); None where the
    quote can't be told.
    """
    if "/" in text:
        return text
    pair = pair_of(text)
    if pair is None:
        return None
    if not pair.contract:
        return f"{pair.base}/{pair.quote}"
    settle = pair.base if pair.quote == "USD" else pair.quote
    dated = "" if pair.contract == "PERP" else f"-{pair.contract}"
    return f"{pair.base}/{pair.quote}:{settle}{dated}"
