"""Grids over NumPy's arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from . import _core
from .results import Plane

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Encoded:
    """Weights as a grid stores them: the bytes of each of its planes, one dimension, by the plane's name."""

    grid: Grid
    shape: tuple[int, ...]
    planes: dict[str, Bytes]

    @property
    def nbytes(self) -> int:
        return sum(plane.nbytes for plane in self.planes.values())

    @property
    def bits_per_weight(self) -> float:
        return 8 * self.nbytes / int(np.prod(self.shape))

    def decode(self, *, threads: int = 0) -> Floats:
        """What the bytes hold, in the shape of what was encoded."""
        return self.grid.decode(self, threads=threads)

    def __repr__(self) -> str:
        planes = ", ".join(f"{name}: {plane.nbytes:,} bytes" for name, plane in self.planes.items())
        return f"Encoded({self.grid.spec}, {' x '.join(map(str, self.shape))}, {planes})"


class Grid:
    """Which values a group of weights can take, and which bytes hold them: `Grid("q4_k")`, `Grid("int4:g64:min")`.

    The last dimension of an array are its columns, all others its rows.
    """

    def __init__(self, spec: str) -> None:
        self._grid = _core.Grid(spec)

    @property
    def spec(self) -> str:
        """In full."""
        return self._grid.spec

    @property
    def family(self) -> str:
        """floating, affine, codebook, microscaled or blocks."""
        return self._grid.family

    @property
    def limit(self) -> float:
        """The largest magnitude that it can hold."""
        return self._grid.limit

    @property
    def planes(self) -> list[Plane]:
        return self._grid.planes

    def why_not(self, columns: int) -> Optional[str]:
        """None where rows of so many weights can be held; else why not."""
        return self._grid.why_not(columns) or None

    def bits_per_weight(self, rows: int, columns: int) -> float:
        return self._grid.bits_per_weight(rows, columns)

    def encode(
        self, array: npt.ArrayLike, *, method: str = "mse", importance: Optional[npt.ArrayLike] = None, threads: int = 0
    ) -> Encoded:
        """Chooses codes. Arrays of float32 whose rows have no gaps between columns are not copied; others are
        converted.

        method: nearest, mse or hqq, with options. importance: of each column, a weight of its squared error.
        Raises Error, with the place, for what is NaN, infinite or beyond `limit`.
        """
        weights = np.asarray(array, dtype=np.float32)
        shape = weights.shape
        matrix = weights.reshape(-1, shape[-1] if shape else 1)
        if matrix.strides[1] != matrix.itemsize or matrix.strides[0] < matrix.shape[1] * matrix.itemsize:
            matrix = np.ascontiguousarray(matrix)
        columns = np.ascontiguousarray([] if importance is None else importance, dtype=np.float32)
        planes = self._grid.encode(matrix, method, columns, threads)
        return Encoded(self, shape, {plane.name: data for plane, data in zip(self.planes, planes)})

    def decode(self, encoded: Encoded, *, threads: int = 0) -> Floats:
        """What the bytes hold, in the shape of what was encoded."""
        planes: list[Any] = [
            np.ascontiguousarray(encoded.planes[plane.name]).reshape(-1).view(np.uint8) for plane in self.planes
        ]
        columns = encoded.shape[-1] if encoded.shape else 1
        rows = int(np.prod(encoded.shape[:-1]))
        return self._grid.decode(planes, rows, columns, threads).reshape(encoded.shape)

    def __repr__(self) -> str:
        return f"Grid({self.spec!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grid) and other.spec == self.spec

    def __hash__(self) -> int:
        return hash(self.spec)


def grids() -> list[str]:
    """A spec of every family of grids there is, several of some."""
    return _core.example_grids()
