"""One report in stages: stage, execute, gate, export, seal, publish."""
