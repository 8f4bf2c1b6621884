"""The terminal, which may go away: then nothing is written to it any more, and the console leaves in order."""

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.driver import Driver


def driver_class() -> "type[Driver] | None":
    """A driver that survives the loss of its terminal; None where the standard one has to do."""
    if os.name != "posix" or "TEXTUAL_DRIVER" in os.environ:  # in a browser there is no terminal: textual-serve names its own driver
        return None
    from textual.drivers.linux_driver import LinuxDriver

    class LossProofDriver(LinuxDriver):
        """Textual's own blocks for ever once thirty writes wait for a terminal that is gone: its writing thread has died."""

        def write(self, data: str) -> None:
            thread: threading.Thread | None = self._writer_thread
            if thread is not None and not thread.is_alive():
                return
            super().write(data)

    return LossProofDriver
