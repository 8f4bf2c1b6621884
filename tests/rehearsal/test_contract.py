"""The auditor can not learn a rule of the desk, not by a detour either. That its import contract
goes red is shown in tests/contracts.
"""

import grimp
import pytest

PLAIN = {"engine.desk.events", "engine.desk.revisions", "engine.desk.state"}
"""All of the desk that the auditor may know: plain data."""

pytestmark = pytest.mark.hazard("H109")


def test_no_rule_comes_in_by_a_detour() -> None:
    graph = grimp.build_graph("engine", cache_dir=None)
    auditor = {"engine.rehearsal.auditor", *graph.find_descendants("engine.rehearsal.auditor")}
    known = {name for one in auditor for name in graph.find_upstream_modules(one)}
    of_the_desk = {name for name in known if name.startswith("engine.desk.")}
    assert {name for name in of_the_desk if not name.startswith("engine.desk.events.")} == PLAIN
    assert {name.split(".")[1] for name in known - auditor if "." in name} <= {"desk", "model"}
