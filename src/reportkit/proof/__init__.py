"""Proof of a run, for others: record, manifest, signature, crate, and their verification."""

from reportkit.proof.manifest import verify_files

__all__ = ["verify_files"]
