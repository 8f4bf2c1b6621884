"""One account on this machine: its folder, the lock that says which process holds it, and what the
folder remembers beside the journal.

The engine, the last exit and the commands that only look share this room, so it imports no desk, no
SQL and no venue. Read `folder` and `home` first (the place), then `lock` and `pen` (who may send;
`beat` is the permit of an engine that shares its account with nobody, `victim` proves who holds a
lock, `running` asks without taking it), `identity` (what the account is), `summary`, `keeper` and
`mark` (what is written beside the journal), `records` and `witness` (what a starting engine reads
of it).
"""
