"""The rules: state, decide, evolve; a file per theme. Synchronous and pure: nothing here awaits, reads a clock or touches a disk."""
