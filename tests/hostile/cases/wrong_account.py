"""In the panic the account's name is mistyped, and then the settings are forgotten.

Right: neither ends with 0 while the position is held; each says why; nothing is sent for either,
nothing is created; then the right command sells once.
"""

import signal
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000"]
ENTRIES = {common.SPOT: "0.1"}


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1")
    await console.end(signal.SIGKILL)
    since, home = len(run.requests), {"FLATOUT_HOME": str(console.root)}
    before = sorted(path.name for path in console.root.iterdir())
    run.notes["mistyped"] = await run.flatout(
        "--account", "mian", "flatten", "--yes", seconds=60, env=home
    )
    run.notes["nobody"] = await run.flatout("flatten", "--yes", seconds=60, env=home)
    run.notes["sent"] = [call.name for call in common.orderings(run, since)]
    run.notes["created"] = sorted(
        path.name for path in console.root.iterdir() if path.name not in before
    )
    await common.flatten(run, console)


def verdict(run: Any) -> list[str]:
    faults = list(common.is_flat(run, "0.1"))
    code, said = run.notes["mistyped"]
    if code != 2 or "mian" not in said:
        faults.append(f"the mistyped name ended with {code}: {said.strip()[-200:]}")
    code, said = run.notes["nobody"]
    if code == 0 and "LIVE" not in said and "paper" not in said.lower():
        faults.append(
            f"without a name it ended with 0 and does not say which account: {said.strip()[-200:]}"
        )
    if run.notes["sent"]:
        faults.append(f"they sent {', '.join(run.notes['sent'])}")
    if run.notes["created"]:
        faults.append(f"they created {', '.join(run.notes['created'])}")
    return faults


# without a name the command is about the paper account, which is flat; that it says so is checked
# above
SKIP = "f"
