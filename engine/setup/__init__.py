"""What a command begins with: the settings, and the parts of an engine that are made from them.

Read `sections` first (what can be set), then `settings` (how it is read: `sources`,
`account_tables`, `symbol_tables`, `setting_values` and `setting_lines` are its parts; `describing`
tells it to people), then `accounts` (which account they mean), `factories` (a market, a paper
account, a live venue) and `environments` (venue, clock and market of one account, opened and
closed; `questions` asks an exchange again until it answers). Modules are imported one by one:
settings are read where no venue may be loaded.
"""
