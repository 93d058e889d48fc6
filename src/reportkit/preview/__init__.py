"""A draft on localhost that is made again whenever somebody saves what it is made from."""
