"""The five panes: what each shows of a view, as data or as lines."""
