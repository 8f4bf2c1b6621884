"""The sockets of an account are found by whatever name its home is called: else the last exit
asks nobody, and passes over an engine that is alive.
"""

from pathlib import Path

import pytest

from engine.account.home import Home


@pytest.mark.parametrize(("real", "name"), [("x" * 120, "short"), ("short", "x" * 120)])
def test_a_link_to_a_home_leads_to_the_same_sockets(tmp_path: Path, real: str, name: str) -> None:
    (tmp_path / real).mkdir()
    (tmp_path / name).symlink_to(tmp_path / real)
    there, linked = (Home.at("mine", tmp_path / one) for one in (real, name))
    assert (linked.control, linked.session) == (there.control, there.session)
