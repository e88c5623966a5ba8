"""Progress in tqdm's protocol: a bar for each stage, made by `bar(total=, desc=, unit=, unit_scale=)`."""

from __future__ import annotations

import importlib
import logging
from typing import Any, Callable, Protocol, Union


class Bar(Protocol):
    """What tqdm gives, and what is used of it."""

    def update(self, n: int) -> Any: ...

    def close(self) -> Any: ...


Progress = Union[None, bool, Callable[..., Bar]]


class Shown:
    """Told of stages and units by the job. Remarks go to the logger `zeropoint`."""

    def __init__(self, progress: Progress) -> None:
        if progress is True:
            progress = importlib.import_module("tqdm.auto").tqdm
        self._make = progress if callable(progress) else None
        self._bar: Bar | None = None

    def stage(self, name: str, total: int, unit: str) -> None:
        self.close()
        if self._make is not None:
            self._bar = self._make(total=total, desc=name, unit=unit, unit_scale=True)

    def advance(self, units: int) -> None:
        if self._bar is not None:
            self._bar.update(units)

    def remark(self, line: str) -> None:
        logging.getLogger("zeropoint").warning(line)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar = None

    def __enter__(self) -> Shown:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
