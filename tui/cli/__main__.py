"""`python -m tui.cli`: the same as `flatout`."""

from tui.cli import main

if __name__ == "__main__":
    main()
