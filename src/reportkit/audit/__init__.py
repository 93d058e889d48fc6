"""Audit of reports that anybody has published: read, rebuilt by the form, checked by its rules."""
