"""One run: stage, execute, gate, export, seal, publish; and batches of them."""
