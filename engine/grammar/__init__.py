"""The command line's language: text in, a typed tree or one pointed error out. No I/O, no clock.

The console's `:`, `flatout do` and scenarios read the same text here. Read `tree` first (what a
line can say), then `reader` (the cursor over the text), `pieces` (sizes, prices, places) and
`commands` (one function per command); `parser` puts them together and never raises, whatever the
text. `printing` writes a tree as the text that reads as the same tree. `macros` checks and fills in
a person's own commands, `complete` says what may come next. `resolve` turns a tree into the intents
that it stands for, against a view.
"""
