"""The forms that the package carries, for tests of what is made by one."""

from reportkit.checks import rules_of
from reportkit.forms import shipped_form
from reportkit.ledgers import schemas

ZFXXGK = shipped_form("zfxxgk")
RULES = rules_of(ZFXXGK)
SCHEMAS = schemas(ZFXXGK)
