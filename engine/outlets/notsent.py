"""Why something did not leave."""


class OutletError(Exception):
    """An outlet can't be set up; the text says what is missing."""


class NotSentError(Exception):
    """It did not arrive. The text says why, and holds neither an address nor a secret."""

    def __init__(self, text: str, *, final: bool = False) -> None:
        """`final`: the other side has refused it, and would again."""
        super().__init__(text)
        self.final = final
