"""What `rankside serve` sets before it loads anything."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rankside.cli.serve import SPIN_COUNT, spin_briefly


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({}, {"GOMP_SPINCOUNT": SPIN_COUNT}),
        ({"GOMP_SPINCOUNT": "7"}, {"GOMP_SPINCOUNT": "7"}),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, {"OMP_WAIT_POLICY": "ACTIVE"}),
    ],
)
def test_waiting_threads_spin_briefly_unless_the_user_chose(
    given: dict[str, str], kept: dict[str, str]
) -> None:
    spin_briefly(given)
    assert given == kept


def test_the_command_is_loaded_without_torch() -> None:
    """OpenMP reads its settings when torch loads it; after that they would come too late."""
    told = "import sys, rankside.cli.root, rankside.cli.serve; print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "False"
