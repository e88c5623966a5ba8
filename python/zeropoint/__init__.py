"""Zeropoint makes trained language models small: any checkpoint in, each runtime's own format out, and the cost
measured.

    import zeropoint

    done = zeropoint.quantize("model", to="gguf:q4_k_m=model.gguf")
    zeropoint.evaluate("model.gguf", text="heldout.txt", against="model")

Arguments have the names of the command line's options, and mean the same. Models and files are paths; an
`org/name[@revision]` that is no path is looked for in Hugging Face's cache. Ctrl-C ends a job and leaves nothing
half-written. progress: True for tqdm's bars, or what makes one (`progress=tqdm.tqdm`).
"""

from __future__ import annotations

import os
from typing import Any, Mapping, Optional, Sequence, Union

from . import _core, explain, results
from ._grid import Encoded, Grid, grids
from ._models import Path, found
from ._progress import Progress, Shown
from .errors import Error, UsageError
from .results import Calibration, Evaluation, Inspected, Plan, Quantization

__version__ = _core.version()
__all__ = [
    "Encoded",
    "Error",
    "Grid",
    "UsageError",
    "calibrate",
    "evaluate",
    "explain",
    "grids",
    "inspect",
    "plan",
    "quantize",
    "results",
]

Size = Union[int, str]
One = Union[Path, Sequence[Path]]


def _all(paths: Union[None, Path, Sequence[Path]]) -> list[str]:
    if paths is None:
        return []
    if isinstance(paths, (str, os.PathLike)):
        return [os.fspath(paths)]
    return [os.fspath(path) for path in paths]


def _bytes(size: Optional[Size], field: str) -> Optional[int]:
    return _core.parse_size(size, f"`{field}`") if isinstance(size, str) else size


def _fields(**given: Any) -> dict[str, Any]:
    """Without what was not asked for; paths as text."""
    return {
        name: os.fspath(value) if isinstance(value, os.PathLike) else value
        for name, value in given.items()
        if value is not None
    }


def _tokens(fields: dict[str, Any], tokens: Union[int, str]) -> dict[str, Any]:
    if isinstance(tokens, str) and tokens != "auto":
        raise UsageError("`tokens`: wrong number", "`tokens`", "wrong number", "a whole number, or auto", tokens)
    return {**fields, "tokens": None if tokens == "auto" else tokens}


def quantize(
    model: Path,
    to: One,
    *,
    merge: Optional[str] = None,
    adapter: Optional[Path] = None,
    method: Optional[str] = None,
    rewrite: Optional[str] = None,
    seed: int = 0,
    set: Union[Sequence[str], Mapping[str, str]] = (),
    calibrate: Optional[One] = None,
    save_text: Optional[Path] = None,
    tokens: Union[int, str] = 16384,
    context: int = 512,
    statistics: Optional[Path] = None,
    fit: Optional[str] = None,
    max_kld: Optional[float] = None,
    refine: Optional[str] = None,
    distill: Optional[str] = None,
    resume: Optional[Path] = None,
    memory: Optional[Size] = None,
    split_size: Optional[Size] = None,
    accurate: bool = False,
    pre_tokenizer: Optional[str] = None,
    judge: Optional[Path] = None,
    report: Optional[Path] = None,
    dry_run: bool = False,
    force: bool = False,
    threads: int = 0,
    progress: Progress = None,
) -> Quantization:
    """Writes a model in runtimes' own quantized formats; to: CONTAINER[:GRID][=PATH], one or several.

    set: exceptions, ["head=q8_0"] or {"head": "q8_0"}. calibrate: texts, or "own". tokens: a number, or "auto".
    memory, split_size: bytes, or "2G". All outputs appear when they are complete, or none.
    """
    exceptions = [f"{key}={grid}" for key, grid in set.items()] if isinstance(set, Mapping) else _all(set)
    fields = _fields(
        model=found(model),
        to=_all(to),
        merge=merge,
        adapter=adapter,
        method=method,
        rewrite=rewrite,
        seed=seed,
        set=exceptions,
        calibrate=_all(calibrate),
        save_text=save_text,
        context=context,
        statistics=statistics,
        fit=fit,
        max_kld=max_kld,
        refine=refine,
        distill=distill,
        resume=resume,
        memory=_bytes(memory, "memory"),
        split_size=_bytes(split_size, "split-size"),
        accurate=accurate,
        pre_tokenizer=pre_tokenizer,
        judge=judge,
        report=report,
        dry_run=dry_run,
        force=force,
    )
    with Shown(progress) as shown:
        return _core.quantize(_tokens(fields, tokens), threads, shown)


def evaluate(
    model: Path,
    text: Path,
    *,
    against: Optional[Path] = None,
    merge: Optional[str] = None,
    adapter: Optional[Path] = None,
    context: int = 512,
    threads: int = 0,
    progress: Progress = None,
) -> Evaluation:
    """What a model is worth on a text, alone or against the model that it was made from."""
    fields = _fields(
        model=found(model),
        text=text,
        against=None if against is None else found(against),
        merge=merge,
        adapter=adapter,
        context=context,
    )
    with Shown(progress) as shown:
        return _core.evaluate(fields, threads, shown)


def calibrate(
    model: Path,
    text: One,
    output: Path,
    *,
    save_text: Optional[Path] = None,
    tokens: Union[int, str] = 16384,
    context: int = 512,
    memory: Optional[Size] = None,
    force: bool = False,
    threads: int = 0,
    progress: Progress = None,
) -> Calibration:
    """Writes what a model's layers see on texts, for quantize(statistics=...); NAME.imatrix.gguf is llama.cpp's
    form."""
    fields = _fields(
        model=found(model),
        text=_all(text),
        output=output,
        save_text=save_text,
        context=context,
        memory=_bytes(memory, "memory"),
        force=force,
    )
    with Shown(progress) as shown:
        return _core.calibrate(_tokens(fields, tokens), threads, shown)


def plan(
    model: Optional[Path] = None,
    *,
    parameters: Optional[Size] = None,
    to: Optional[One] = None,
    fit: Optional[Size] = None,
    context: int = 4096,
) -> Plan:
    """Sizes, memory and what fits, before anything runs; of a model, or of a number of parameters ("70B")."""
    count = _core.parse_parameters(parameters) if isinstance(parameters, str) else parameters
    return _core.plan(
        _fields(
            model=None if model is None else found(model),
            parameters=count,
            to=_all(to),
            fit=_bytes(fit, "fit"),
            context=context,
        )
    )


def inspect(path: Path, *, values: bool = False, threads: int = 0, progress: Progress = None) -> Inspected:
    """What is inside a checkpoint, or a file of calibrate(); values: every weight is read, too, and those that
    aren't finite are counted."""
    with Shown(progress) as shown:
        return _core.inspect(_fields(path=found(path), values=values), threads, shown)
