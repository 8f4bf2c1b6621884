"""The nouns and their arithmetic: frozen values, no I/O, no clock, nothing of ours imported.

Read `instrument`, `order`, `fill` and `position` first, then what travels: `intent` (what a trader
asks), `request` (what we ask the venue), `report` (what it says), `view` (what is shown). Modules
are imported one by one: `from engine.model.order import Order`.
"""
