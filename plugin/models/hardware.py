"""Where a model runs and in which number format, by measured capability.

Sources: torch.cuda.is_bf16_supported, torch.cpu.get_capabilities (torch's documentation). A CPU
without native bfloat16 emulates it several times slower than float32, so it is never chosen there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from plugin.ranking.errors import SettingsError

DTYPES: dict[str, torch.dtype] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
_NATIVE_BF16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
_WORTH_IT = 1.2  # below this the gain does not pay for the lost precision
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this machine can do; ``cpu_bf16_speedup`` measures when called."""

    cuda_devices: int
    cuda_bf16: bool
    mps: bool
    cpu_bf16: bool
    cpu_bf16_speedup: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Placement:
    """A device and a number format, and one sentence saying why."""

    device: str
    dtype: str
    reason: str

    @property
    def torch_dtype(self) -> torch.dtype:
        """The number format as torch has it."""
        return DTYPES[self.dtype]


def capabilities() -> Capabilities:
    """What torch says about this machine."""
    devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return Capabilities(
        cuda_devices=devices,
        cuda_bf16=devices > 0 and torch.cuda.is_bf16_supported(including_emulation=False),
        mps=torch.backends.mps.is_available(),
        cpu_bf16=_cpu_has_bf16(),
        cpu_bf16_speedup=cpu_bf16_speedup,
    )


def place(
    device: str,
    dtype: str,
    *,
    half_precision: bool,
    machine: Capabilities | None = None,
    table: str = "model",
) -> Placement:
    """Choose where a model runs; ``auto`` in either place is decided here.

    ``half_precision`` says that the weights are made for 16 bits; others stay in float32.
    ``table`` is the one of the settings, for messages.

    Raises:
        SettingsError: a device is asked for that this machine does not have.
    """
    machine = machine or capabilities()
    chosen = _device(device, machine, f"{table}.device")
    if dtype != "auto":
        return Placement(chosen, dtype, f"{dtype} on {chosen}, as set")
    if not half_precision:
        return Placement(chosen, "float32", f"float32 on {chosen}: the weights are float32")
    if chosen.startswith("cuda"):
        return _on_cuda(chosen, machine)
    if chosen == "mps":
        return Placement(chosen, "float32", "float32 on mps: 16 bits are not checked there")
    return _on_cpu(machine)


def cpu_bf16_speedup() -> float:
    """How many times faster bfloat16 is than float32 on this CPU, by a small matrix product."""
    float32, bfloat16 = (_seconds(dtype) for dtype in (torch.float32, torch.bfloat16))
    return float32 / bfloat16


def gpu_failed(error: Exception) -> bool:
    """Whether ``error`` is of a broken CUDA context, which is fatal to the process."""
    return isinstance(error, torch.AcceleratorError) or "CUDA error" in str(error)


def _device(device: str, machine: Capabilities, key: str) -> str:
    if device == "auto":
        return "cuda" if machine.cuda_devices else "mps" if machine.mps else "cpu"
    if device.startswith("cuda"):
        number = int(device.partition(":")[2] or 0)
        if number >= machine.cuda_devices:
            raise SettingsError(
                f"{key} is {device} and torch sees {machine.cuda_devices} CUDA devices; "
                "set it to auto or cpu, or install the driver and a CUDA build of torch"
            )
    if device == "mps" and not machine.mps:
        raise SettingsError(f"{key} is mps and torch has no MPS here; set it to auto or cpu")
    return device


def _on_cuda(device: str, machine: Capabilities) -> Placement:
    if machine.cuda_bf16:
        return Placement(device, "bfloat16", f"bfloat16 on {device}: the GPU has it")
    return Placement(device, "float16", f"float16 on {device}: the GPU has no native bfloat16")


def _on_cpu(machine: Capabilities) -> Placement:
    if not machine.cpu_bf16:
        return Placement("cpu", "float32", "float32 on cpu: the CPU has no native bfloat16")
    speedup = machine.cpu_bf16_speedup()
    dtype = "bfloat16" if speedup >= _WORTH_IT else "float32"
    return Placement("cpu", dtype, f"{dtype} on cpu: bfloat16 measured {speedup:.1f} times as fast")


def _cpu_has_bf16() -> bool:
    query = getattr(torch.cpu, "get_capabilities", None)  # torch 2.11 and later
    return query is not None and any(query().get(name, False) for name in _NATIVE_BF16)


def _seconds(dtype: torch.dtype) -> float:
    """The best of a few products of an encoder layer's shape."""
    left = torch.ones(256, 1024).to(dtype)
    right = torch.ones(1024, 1024).to(dtype)
    times = []
    for _ in range(_ROUNDS + 1):
        start = time.perf_counter()
        left @ right
        times.append(time.perf_counter() - start)
    return min(times[1:])  # the first pays for setting up
