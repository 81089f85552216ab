"""First-token decoding: an order out of the probabilities of an LLM's first token."""

from __future__ import annotations

import string

LETTERS = tuple(string.ascii_uppercase + string.ascii_lowercase)
"""What passages are told by where one token is to say which is best."""
