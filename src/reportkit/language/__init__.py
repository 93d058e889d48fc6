"""Words for people in their own language: English at its site, joined and translated late."""

from reportkit.language.message import Message, joined, template

__all__ = ["Message", "joined", "template"]
