"""Repairs: edits of the graph as edits of the source text. libcst is imported only where a call is rewritten."""

from loss_lint.fixes.source import Repairs

__all__ = ["Repairs"]
