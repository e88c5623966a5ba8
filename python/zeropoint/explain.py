"""The arithmetic, step by step: `number`, `grid`, `tensor`. Each shows what the command line does."""

from __future__ import annotations

from typing import Optional, Sequence

from . import _core
from ._models import Path, found
from .results import GridExplanation, NumberExplanation, TensorExplanation


def number(value: Optional[float] = None, *, bits: Optional[str] = None, in_: Optional[str] = None) -> NumberExplanation:
    """A number's bits in each format, or in one: `number(7.325)`, `number(bits="0x1000", in_="fp16")`."""
    if (value is None) == (bits is None):
        raise TypeError("explain.number() takes a value, or bits and in_")
    if bits is not None:
        return _core.explain_bits(bits, in_ or "")
    assert value is not None
    return _core.explain_number(float(value), in_ or "")


def grid(
    grid: str,
    *,
    range: Optional[tuple[float, float]] = None,
    clip: Optional[tuple[float, float]] = None,
    values: Sequence[float] = (),
    value: Optional[float] = None,
) -> GridExplanation:
    """Linear quantization of a range: `grid("uint8", range=(0, 1000), value=250)`."""
    return _core.explain_grid(grid, range, clip, [float(v) for v in values], value)


def tensor(model: Path, name: str, *, grid: str = "int4:g32", method: str = "mse") -> TensorExplanation:
    """What a grid does to one tensor of a model; name: as inspect() has it, as GGUF has it, or layers.N.ROLE."""
    return _core.explain_tensor(found(model), name, grid, method)
