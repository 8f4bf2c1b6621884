"""What became of a test of the outlets."""

from msgspec import Struct


class Tried(Struct, frozen=True, gc=False):
    """One way out, and why the test did not arrive; empty where it did."""

    name: str
    why: str = ""

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.name}: {self.why or 'arrived'}"
