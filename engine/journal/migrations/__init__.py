"""From the schema of any earlier version to this one."""
