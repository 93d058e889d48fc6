"""What lets others check a run: manifest and digests."""

from reportkit.proof.manifest import input_digest, verify_files, write_manifest

__all__ = ["input_digest", "verify_files", "write_manifest"]
