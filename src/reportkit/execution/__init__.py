"""One run: stage, execute, gate, export, seal, publish."""

from reportkit.execution.run import Outcome, run

__all__ = ["Outcome", "run"]
