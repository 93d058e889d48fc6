"""What lets others check a run: record, manifest, signature, crate, and their verification."""

from reportkit.proof.manifest import verify_files
from reportkit.proof.record import seal_run

__all__ = ["seal_run", "verify_files"]
