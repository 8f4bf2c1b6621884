"""What can be known of an account without an engine. Nothing here can send: an import contract
keeps out whatever does.

Read `looking` first (the journal's last word), then `venue` (the venue's own) and `doctor`, which
tries one thing after the other and says of each what to do about it (`outside`: the outlets).
"""
