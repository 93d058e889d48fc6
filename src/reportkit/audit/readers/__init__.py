"""Readers: a published document as lines of cells, one module a format."""
