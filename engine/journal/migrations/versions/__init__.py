"""One module per revision; `engine.journal.schema.REVISIONS` lists them in order."""
