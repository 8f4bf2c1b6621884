"""The chart, without its widget. Read `sheet` (cells, and from a price to a row), `levels` (what
deserves a line), `window` (which candles are shown, and the crosshair), `drawing` (candles with all
of it), `reading` (what is said of the crosshair), `equity` (the other picture) and `commands` (its
keys). The pane is `tui/panes/chart.py`.
"""
