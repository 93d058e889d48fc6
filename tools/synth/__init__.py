"""Demonstration ledgers from published totals: deterministic, and marked as synthetic."""

from synth.files import Synthesis, write
from synth.printed import Difference
from synth.recipe import Recipe
from synth.synthesis import synth_files, synthesise

__all__ = ["Difference", "Recipe", "Synthesis", "synth_files", "synthesise", "write"]
