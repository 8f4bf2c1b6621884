"""Whether the files of this program are still those that were installed.

`engine`, `tui` and `themes` are top-level names: another distribution that has one of them writes
over our files when it is installed, and no installer says so (docs/decisions/18-import-names.md).
"""

import asyncio
import hashlib
from base64 import urlsafe_b64encode
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from engine.inspection.findings import BadError

NAME = "flatout"
SHOWN = 3
"""Files that are named."""


async def program() -> str:
    """The version. Raises BadError where files are not what was installed."""
    try:
        found = distribution(NAME)
    except PackageNotFoundError:
        return "not installed: it runs from a checkout"
    wrong = await asyncio.to_thread(changed, found)
    if wrong:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise BadError(
            f"not as it was installed: {', '.join(wrong[:SHOWN])}{more}",
            "install Flatout in an environment of its own: another package wrote over it",
        )
    return f"Flatout {found.version}"


def changed(of: Distribution) -> list[str]:
    """The files of a distribution that are gone or are not what its record says, by name."""
    wrong = []
    for file in of.files or ():
        if file.hash is None:
            continue  # the record itself, and what is compiled later
        try:
            body = Path(str(of.locate_file(file))).read_bytes()
        except OSError:
            wrong.append(str(file))
            continue
        digest = urlsafe_b64encode(hashlib.new(file.hash.mode, body).digest())
        if digest.decode().rstrip("=") != file.hash.value:
            wrong.append(str(file))
    return wrong
