"""Steps about the market and the account: what is traded, prices, pictures, clocks, and what is
left in the end.
"""

from engine.clock import SECOND
from engine.model import report as r
from engine.model.counts import counted
from engine.model.ids import client_order_id
from engine.model.money import ZERO
from engine.venues.conformance.checked import PATIENCE, Checked, StepError, Steps

OLD = 5.0
"""Seconds after which a price that comes is no news."""
APART = 2.0
"""Seconds by which the time of a report may differ from ours once the venue's clock is reckoned
with.
"""


class Account:
    """The venue before and after anything is traded."""

    def __init__(self, check: Checked) -> None:
        self._check = check
        self._before: r.Picture

    def first(self) -> Steps:
        """Before anything is traded."""
        return [
            ("lists what is traded", self._lists),
            ("connects and tells a price", self.connects),
            ("tells prices that are new", self._prices_are_new),
            ("tells the account", self._pictures),
            ("says of an unknown order that it is not there", self._absent),
            ("takes closes in the symbol now", self._open_for_closes),
        ]

    def last(self) -> Steps:
        """After everything."""
        return [
            ("leaves the account as it was", self._flat),
            ("tells times of our clock", self._times),
            ("told nothing that can't be read", self._readable),
        ]

    async def _lists(self) -> str:
        check = self._check
        known = {instrument.symbol: instrument for instrument in await check.venue.instruments()}
        if check.symbol not in known:
            raise StepError(f"{check.symbol} is not among {', '.join(sorted(known))}")
        check.instrument = i = known[check.symbol]
        return (
            f"{i.symbol}: tick {i.tick:f}, lot {i.lot:f}, minimum {i.min_size:f}, fees"
            f" {i.fee_tiers[0].maker:f}/{i.fee_tiers[0].taker:f}"
        )

    async def connects(self) -> str:
        """Without it no other step makes sense."""
        check = self._check
        await check.venue.connect(check.hear, check.hear_price)
        await check.until(
            lambda: any(isinstance(report, r.Connected) for report in check.reports),
            "word that reports flow",
        )
        await check.until(lambda: check.symbol in check.quotes, f"price of {check.symbol}")
        return f"{check.symbol} at {check.price():f}"

    async def _prices_are_new(self) -> str:
        """A guard acts on prices: they come as they change, and say how old they are."""
        check = self._check
        before = check.quotes[check.symbol]
        if not await check.comes(lambda: check.quotes[check.symbol] is not before):
            return f"it did not change within {PATIENCE:g} s"
        age = (check.clock.now() - check.quotes[check.symbol].at) / SECOND
        if age > OLD:
            raise StepError(f"a new price is {age:.1f} s old")
        return f"{max(age, 0.0):.2f} s old"

    async def _pictures(self) -> str:
        self._before = await self._check.picture()
        money = ", ".join(f"{amount:f} {name}" for name, amount in self._before.balances.items())
        return f"{counted(len(self._before.orders), 'order')}, {money or 'no money'}"

    async def _absent(self) -> str:
        answer = await self._check.found(client_order_id(self._check.account, "never", "sent", 1))
        if not isinstance(answer, r.Absent):
            raise StepError(f"the answer was {answer}")
        return ""

    async def _open_for_closes(self) -> str:
        symbol = self._check.symbol
        modes = [
            report
            for report in self._check.reports
            if isinstance(report, r.MarketMode) and report.symbol == symbol
        ]
        if modes and not modes[-1].closes:
            raise StepError(f"{symbol} is in {modes[-1].mode} mode: try again later")
        return modes[-1].mode if modes else ""

    async def _flat(self) -> str:
        now = await self._check.picture()
        ours = {order.client_order_id for order in now.orders} - {
            order.client_order_id for order in self._before.orders
        }
        if ours:
            raise StepError(f"{len(ours)} orders are left open")
        held = {
            symbol: size
            for symbol, size in now.net.items()
            if size != self._before.net.get(symbol, ZERO)
        }
        if held:
            raise StepError(f"holding {held}")
        return ""

    async def _times(self) -> str:
        """Deadlines, expiries and the age of a view are reckoned with them."""
        check = self._check
        kinds = (r.Accepted, r.Amended, r.Cancelled, r.Filled)
        times = [
            (heard - report.at) / SECOND
            for report, heard in zip(check.reports, check.heard_at, strict=True)
            if isinstance(report, kinds)
        ]
        worst = max(times, key=abs, default=0.0)
        # what is heard late may be old; nothing comes from the future
        if abs(worst) > APART + PATIENCE * (worst > 0):
            raise StepError(f"a report that just came is {worst:.1f} s old")
        return f"{len(times)} reports, at most {worst:.2f} s old"

    async def _readable(self) -> str:
        troubles = [
            report
            for report in self._check.reports
            if isinstance(report, r.Noticed) and report.text
        ]
        if troubles:
            raise StepError(
                "; ".join(f"{one.code} {one.subject}: {one.text}" for one in troubles[:3])
            )
        return ""
