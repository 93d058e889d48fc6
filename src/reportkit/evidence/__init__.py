"""Which rows each fact rests on: sealed in the notebook, written for the audit page, read back."""
