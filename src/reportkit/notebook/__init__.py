"""Objects that a notebook uses: the report, its tables and charts, a district through the years."""
