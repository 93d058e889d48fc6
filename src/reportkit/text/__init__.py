"""The narrative: figures bound into prose, printed, and whether every number is bound."""
