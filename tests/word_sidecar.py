"""A sidecar in a process of its own whose encoder is cheap: to be killed and started again.

python -m tests.word_sidecar PORT
"""

from __future__ import annotations

import sys

from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from plugin.sidecar.server import listen, run
from tests.doubles import WordEncoder

if __name__ == "__main__":
    options = SidecarOptions(port=int(sys.argv[1]))
    run(
        lambda fatal: create_app(options, WordEncoder(), on_fatal=fatal),
        options,
        listen(options),
    )
