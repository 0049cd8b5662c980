"""Drafts a contract for a file or a table that has none; what counts is that a load takes it as it is."""
