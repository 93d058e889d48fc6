"""The second count: raw ledgers read again by other readers and counted in SQL."""
