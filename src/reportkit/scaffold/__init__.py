"""Files to begin with: a project, empty ledgers, a new year's parameters and text."""
