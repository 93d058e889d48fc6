"""A parent's report as the sum of its members' reports: what is read of them, added and told."""
