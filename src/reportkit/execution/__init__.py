"""One run: stage, execute, gate, export, seal, publish; and batches of them.

Nothing is imported here: a batch in which nothing has changed does not wait for pandas.
"""
