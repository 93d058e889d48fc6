"""All runs in one place: how each report stands, the store of their facts, pages of everything."""
