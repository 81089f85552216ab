"""The demo: a corpus made on the spot, judged queries, and what `rankside demo` does with them."""

from __future__ import annotations
