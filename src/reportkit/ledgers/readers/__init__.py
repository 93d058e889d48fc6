"""Files into raw text tables: every cell as a person sees it, every record with its line.

No type is guessed here: a reader finds the heading, says on which physical line (or sheet row) each
record stands, notes what is odd about its cells, and refuses a file that it cannot read for sure.
"""
