"""No module imports itself by a detour: not inside functions, and not for types alone."""

import grimp


def test_there_is_no_circle() -> None:
    graph = grimp.build_graph("engine", "tui", "themes", cache_dir=None)
    left = set(graph.modules)
    while free := {
        name
        for name in left
        if not graph.find_modules_directly_imported_by(name) & left
        or not graph.find_modules_that_directly_import(name) & left
    }:
        left -= free
    assert not left, f"in a circle, or between two: {sorted(left)}"
