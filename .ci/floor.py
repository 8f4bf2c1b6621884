"""Fails when the branch coverage of a room or a file is below the floor: `floor.py coverage.json 90
engine/desk engine/gate ...`.
"""

import json
import sys
from pathlib import Path

report, floor, *rooms = sys.argv[1:]
files = json.loads(Path(report).read_text(encoding="utf-8"))["files"]
short = False
for room in rooms:
    found = [
        told["summary"]
        for name, told in files.items()
        if name == room or name.startswith(room + "/")
    ]
    covered = sum(s["covered_lines"] + s["covered_branches"] for s in found)
    total = sum(s["num_statements"] + s["num_branches"] for s in found)
    share = 100 * covered / total if total else 0
    short = short or share < float(floor)
    print(f"{room:<16} {share:5.1f} % of {total} lines and branches")
sys.exit(1 if short else 0)
