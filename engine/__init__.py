"""Flatout's engine: custody of a trader's risk, without a screen."""
