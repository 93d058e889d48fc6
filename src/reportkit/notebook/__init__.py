"""What a notebook calls: the report, its tables and charts, a district through the years."""
