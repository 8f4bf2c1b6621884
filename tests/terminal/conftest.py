"""An outlet for notifications."""

from collections.abc import Iterator

import pytest

from tests.support.outlet import Outlet


@pytest.fixture
def outlet() -> Iterator[Outlet]:
    found = Outlet()
    yield found
    found.shutdown()
    found.server_close()
