"""What somebody begins with: empty ledgers as workbooks, and a project of one's own."""

from reportkit.starting.project import Beginning, begin
from reportkit.starting.workbooks import blank_workbook, write_blank_ledgers

__all__ = ["Beginning", "begin", "blank_workbook", "write_blank_ledgers"]
