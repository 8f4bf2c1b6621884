"""Prints the README's commands as they stand: `readme.py open` or `readme.py test`."""

import re
import sys
from pathlib import Path

text = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
print(blocks[{"open": 0, "test": 1}[sys.argv[1]]].strip())
