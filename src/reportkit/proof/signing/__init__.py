"""Signed envelopes (DSSE): keys, trust, and programs that hold keys."""
