"""Device and number format follow what the machine measures, not what it is called."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from plugin.models.hardware import Capabilities, capabilities, cpu_bf16_speedup, place
from plugin.ranking.errors import SettingsError

BARE = Capabilities(
    cuda_devices=0, cuda_bf16=False, mps=False, cpu_bf16=False, cpu_bf16_speedup=lambda: 1.0
)
AMPERE = replace(BARE, cuda_devices=2, cuda_bf16=True)
TURING = replace(BARE, cuda_devices=1)
APPLE = replace(BARE, mps=True)
FAST_BF16 = replace(BARE, cpu_bf16=True, cpu_bf16_speedup=lambda: 2.4)
SLOW_BF16 = replace(BARE, cpu_bf16=True, cpu_bf16_speedup=lambda: 0.9)


@pytest.mark.parametrize(
    ("machine", "device", "dtype", "reason"),
    [
        (AMPERE, "cuda", "bfloat16", "the GPU has it"),
        (TURING, "cuda", "float16", "no native bfloat16"),
        (APPLE, "mps", "float32", "not checked"),
        (BARE, "cpu", "float32", "no native bfloat16"),
        (FAST_BF16, "cpu", "bfloat16", "2.4 times as fast"),
        (SLOW_BF16, "cpu", "float32", "0.9 times as fast"),
    ],
)
def test_weights_made_for_16_bits(
    machine: Capabilities, device: str, dtype: str, reason: str
) -> None:
    placement = place("auto", "auto", half_precision=True, machine=machine)

    assert (placement.device, placement.dtype) == (device, dtype)
    assert reason in placement.reason


@pytest.mark.parametrize("machine", [AMPERE, TURING, APPLE, BARE, FAST_BF16])
def test_float32_weights_stay_float32(machine: Capabilities) -> None:
    assert place("auto", "auto", half_precision=False, machine=machine).dtype == "float32"


def test_the_cpu_is_not_measured_where_it_does_not_matter() -> None:
    def measured() -> float:
        raise AssertionError

    for machine in (BARE, AMPERE):
        place(
            "auto", "auto", half_precision=True, machine=replace(machine, cpu_bf16_speedup=measured)
        )


def test_what_is_set_is_taken() -> None:
    placement = place("cuda:1", "float16", half_precision=False, machine=AMPERE)

    assert (placement.device, placement.torch_dtype) == ("cuda:1", torch.float16)
    assert placement.reason == "float16 on cuda:1, as set"


@pytest.mark.parametrize(
    ("device", "machine"), [("cuda", BARE), ("cuda:1", TURING), ("cuda:2", AMPERE), ("mps", BARE)]
)
def test_a_device_that_is_not_there_is_refused(device: str, machine: Capabilities) -> None:
    with pytest.raises(SettingsError, match=r"model\.device is"):
        place(device, "auto", half_precision=True, machine=machine)


def test_this_machine_can_be_asked_and_measured() -> None:
    machine = capabilities()

    assert machine.cuda_devices == (torch.cuda.device_count() if torch.cuda.is_available() else 0)
    assert cpu_bf16_speedup() > 0
    assert place("cpu", "auto", half_precision=True).device == "cpu"
