"""Readers of corpus files: rows with their place in the file, broken ones as such."""
