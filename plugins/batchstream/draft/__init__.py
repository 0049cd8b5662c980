"""Drafts a contract for a file that has none; what counts is that the reader of sources takes it as it is."""
