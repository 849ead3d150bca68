"""Formulas: typeset in a process of their own, painted here."""
