"""Demonstration ledgers from published totals: deterministic, and marked as synthetic."""

from reportkit.published import Difference
from reportkit.synth.files import Synthesis, write
from reportkit.synth.recipe import Recipe
from reportkit.synth.synthesis import synth_files, synthesise

__all__ = ["Difference", "Recipe", "Synthesis", "synth_files", "synthesise", "write"]
