"""What lets others check a run: record, manifest, signature, crate, and their verification."""

from reportkit.proof.manifest import input_digest, verify_files

__all__ = ["input_digest", "verify_files"]
