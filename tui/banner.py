"""The banner over the screen: an alarm, else what of the settings is not used."""

from collections.abc import Sequence

from tui.lines import Lines
from tui.palette import Palette
from tui.plain import lines


class Banner(Lines):
    """Shown while there is something to say."""

    def __init__(self, palette: Palette, key: str) -> None:
        """`key` acknowledges a complaint."""
        super().__init__(palette, base="alarm", id="banner")
        self.complaints: list[str] = []
        """What of the settings is not used, one by one, until somebody acknowledges it."""
        self._alarm = ""
        self.key = key
        self.display = False

    def alarm(self, text: str) -> None:
        """Say it in red; empty takes it away."""
        self._alarm = text
        self.fit()

    def complain(self, texts: Sequence[str]) -> None:
        """Say these too."""
        self.complaints.extend(texts)
        self.fit()

    def acknowledge(self) -> str:
        """Take the complaint that stands away; returns it, empty for none."""
        if not self.complaints:
            return ""
        text = self.complaints.pop(0)
        self.fit()
        return text

    def fit(self) -> None:
        """Wrap the words to the screen. An alarm goes before a complaint."""
        text = ""
        if self._alarm:
            text = f"✗ {self._alarm}"
        elif self.complaints:
            more = f", {len(self.complaints) - 1} more" if len(self.complaints) > 1 else ""
            text = f"! {self.complaints[0]}   {self.key}: acknowledge{more}"
        self.display = bool(text)
        wrapped = lines(text, max(self.app.size.width - 2, 20)) if text else []
        self.styles.height = max(len(wrapped), 1)
        self.put([((f" {line} ", "alarm"),) for line in wrapped])
