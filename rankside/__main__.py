"""``python -m rankside``."""

from __future__ import annotations

from rankside.cli.root import main

if __name__ == "__main__":
    main()
