"""The price ladder: rows are prices, and an armed key is an order.

Read `window` first (which prices are shown, and when they move), then `picture` (what was painted,
which is what an order says that its trader saw). `rows` and `drawing` make lines of a picture;
`arming` says when keys may trade, and why not; `sending` makes intents of keys. The pane is
`tui/panes/ladder.py`, what its keys do is `tui/ladder/acting.py`, which knows the pane as a `face`.
"""
