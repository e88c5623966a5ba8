"""What jobs come to. Fields have the names of the command line's JSON; they show as text, and in notebooks as
tables."""

from __future__ import annotations

import html
import json
import math
from dataclasses import dataclass, field
from typing import Any, Optional, Sequence, Union

Cells = Sequence[object]


def _size(count: int) -> str:
    """Bytes for people, in powers of ten."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{count} B" if unit == "B" else f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"


def _decibels(value: Optional[float]) -> str:
    return "" if value is None else "exact" if math.isinf(value) else f"{value:.2f} dB"


def _yes(value: Optional[bool]) -> str:
    return "" if value is None else "yes" if value else "no"


class _Table:
    """Rows below a title and the names of columns; a column of numbers stands to the right."""

    def __init__(self, title: str, columns: Sequence[str], rows: Sequence[Cells], most: int = 40) -> None:
        self.title = title
        self.columns = columns
        self.rows = [[str(cell) for cell in row] for row in rows[:most]]
        if len(rows) > most:
            self.rows.append([f"... {len(rows) - most} more", *[""] * (len(columns) - 1)])
        self.right = [
            bool(rows) and all(isinstance(row[i], (int, float)) for row in rows[:most]) for i in range(len(columns))
        ]

    def text(self) -> str:
        lines = [list(self.columns), *self.rows] if any(self.columns) else self.rows
        widths = [max((len(line[i]) for line in lines), default=0) for i in range(len(self.columns))]
        padded = [
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, self.right)
            ).rstrip()
            for line in lines
        ]
        return "\n".join(([self.title] if self.title else []) + padded)

    def html(self) -> str:
        def line(cells: Sequence[str], tag: str) -> str:
            return "<tr>" + "".join(
                f'<{tag} style="text-align:{"right" if right else "left"}">{html.escape(cell)}</{tag}>'
                for cell, right in zip(cells, self.right)
            ) + "</tr>"

        head = line(list(self.columns), "th") if any(self.columns) else ""
        caption = f"<caption>{html.escape(self.title)}</caption>" if self.title else ""
        return f"<table>{caption}{head}{''.join(line(row, 'td') for row in self.rows)}</table>"


class Shown:
    """Shows as tables. Two of a class are equal where all their fields are."""

    def _tables(self) -> Sequence[_Table]:
        raise NotImplementedError

    def __repr__(self) -> str:
        return "\n".join(table.text() for table in self._tables())

    def _repr_html_(self) -> str:
        return "".join(table.html() for table in self._tables())


class _Text:
    """Shows what the command line does."""

    text: str

    def __repr__(self) -> str:
        return self.text.rstrip("\n")

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text)}</pre>"


def _lines(title: str, lines: Sequence[str]) -> list[_Table]:
    return [_Table(title, [""], [[line] for line in lines])] if lines else []


@dataclass(frozen=True)
class Estimate:
    """A figure and its standard error."""

    value: float
    se: float

    def __str__(self) -> str:
        return f"{self.value:.6g} +- {self.se:.2g}"


@dataclass(frozen=True)
class Divergence:
    """Of sum p log(p / q) at each scored token, in nats; p is the reference's."""

    mean: float
    se: float
    median: float
    p90: float
    p95: float
    p99: float
    p999: float
    max: float


@dataclass(frozen=True)
class JudgedToken:
    """A place where two models differ much."""

    before: str
    token: str
    after: str
    guess: str
    reference_guess: str
    kl_divergence: float


@dataclass(frozen=True)
class Comparison:
    """Beside a reference. Shares are from 0 to 1, divergences in nats a token."""

    reference_perplexity: Estimate
    perplexity_ratio: Estimate
    perplexity_correlation: float
    kl_divergence: Divergence
    top1_agreement: Estimate
    rms_dp: float
    worst: list[JudgedToken]


@dataclass(frozen=True, repr=False)
class Evaluation(Shown):
    """What a model is worth on a text."""

    tokens: int
    context: int
    perplexity: Estimate
    compared: Optional[Comparison]

    def _tables(self) -> Sequence[_Table]:
        rows: list[Cells] = [["perplexity", self.perplexity]]
        if self.compared is not None:
            c = self.compared
            rows += [
                ["the reference's", c.reference_perplexity],
                ["ratio", c.perplexity_ratio],
                ["KL divergence", f"{c.kl_divergence.mean:.6f} +- {c.kl_divergence.se:.6f} nats per token"],
                ["  median, 99 %, largest", "{0.median:.3g}, {0.p99:.3g}, {0.max:.3g}".format(c.kl_divergence)],
                ["same first choice", f"{100 * c.top1_agreement.value:.2f} +- {100 * c.top1_agreement.se:.2f} %"],
                ["RMS of dp", f"{100 * c.rms_dp:.2f} %"],
            ]
        rows.append(["tokens scored", f"{self.tokens:,} in windows of {self.context}"])
        return [_Table("", ["", ""], rows)]


@dataclass(frozen=True)
class OwnText:
    """What a model wrote itself."""

    documents: int
    conversations: int
    tokens: int
    seconds: float


@dataclass(frozen=True)
class TextReading:
    """How the model finds a text."""

    tokens: int
    bytes_per_token: float
    perplexity: Optional[float]
    expected_perplexity: Optional[float]
    is_foreign: bool


@dataclass(frozen=True, repr=False)
class Calibration(Shown):
    """A file of statistics that was written."""

    path: str
    layers: int
    tokens: int
    bytes: int
    seconds: float
    own_text: Optional[OwnText]
    text: TextReading

    def _tables(self) -> Sequence[_Table]:
        row = [self.path, _size(self.bytes), self.layers, self.tokens, f"{self.seconds:.2f} s"]
        return [_Table("", ["statistics", "size", "layers", "tokens", "time"], [row])]


@dataclass(frozen=True)
class HeldOut:
    """Squared errors on text that was held out, and on the rest."""

    times: float
    output_sqnr_db: float
    seen_output_sqnr_db: float


@dataclass(frozen=True)
class Quality:
    """Signal over noise in dB, infinite where nothing was lost; None: not known."""

    sqnr_db: Optional[float]
    output_sqnr_db: Optional[float]
    weighted_sqnr_db: Optional[float]
    held_out: Optional[HeldOut]

    def __str__(self) -> str:
        if self.output_sqnr_db is not None:
            return "output " + _decibels(self.output_sqnr_db)
        if self.weighted_sqnr_db is not None:
            return "weighted " + _decibels(self.weighted_sqnr_db)
        return _decibels(self.sqnr_db)


@dataclass(frozen=True)
class QuantizedTensor:
    """A tensor of an output; expert: -1 where it is of none."""

    name: str
    role: str
    expert: int
    shape: list[int]
    grid: str
    bytes: int
    quality: Quality


@dataclass(frozen=True)
class Rule:
    """Which tensors get which grid; roles: empty for all others."""

    roles: str
    grid: str
    why: str


@dataclass(frozen=True)
class Fallback:
    """Tensors that could not take the grid that was asked for."""

    tensors: int
    of: int
    share: float
    why: str


@dataclass(frozen=True)
class FitTensor:
    """A tensor's grid under a budget, and the divergence that it alone is expected to cost."""

    name: str
    role: str
    grid: str
    bits_per_weight: float
    loss: float


@dataclass(frozen=True)
class Fit:
    """What was chosen under a budget."""

    met: bool
    tokens: int
    predicted_kl: float
    measured_kl: Estimate
    of_file: bool
    tensors: list[FitTensor]


@dataclass(frozen=True)
class Trained:
    """Training of an output, and how far it is from its source on text held out: what leaves the last layer (refine: a share
    of its square) or its answers (distill: KL divergence, nats a token)."""

    before: float
    after: float
    trained: int
    left: int
    seconds: float


@dataclass(frozen=True, repr=False)
class QuantizedOutput(Shown):
    """A file or folder, written or planned."""

    path: str
    container: str
    grid: str
    fidelity: str
    bytes: int
    bits_per_weight: float
    exists: bool
    quality: Quality
    tensors: list[QuantizedTensor]
    rules: list[Rule]
    fallback: Fallback
    notes: list[str]
    judge: Optional[Evaluation]
    fit: Optional[Fit]
    refine: Optional[Trained]
    distill: Optional[Trained]

    def _row(self) -> Cells:
        size, bits = _size(self.bytes), f"{self.bits_per_weight:.3f}"
        return [self.path, f"{self.container}:{self.grid}", size, bits, self.quality]

    def _tables(self) -> Sequence[_Table]:
        rows = [
            [t.name, " x ".join(map(str, t.shape)), t.grid, _size(t.bytes), t.quality] for t in self.tensors
        ]
        return [_table_of([self]), _Table("", ["tensor", "shape", "grid", "size", "quality"], rows)]


def _table_of(outputs: Sequence[QuantizedOutput]) -> _Table:
    return _Table("", ["output", "target", "size", "bits a weight", "quality"], [o._row() for o in outputs])


@dataclass(frozen=True)
class Rewritten:
    """What a rewrite did to the float model."""

    name: str
    possible: int
    changed: int
    loss: float
    notes: list[str]


@dataclass(frozen=True)
class QuantizeSeconds:
    """Wall time. read, calibrate, quantize and write are parts of one pass."""

    load: float
    own_text: float
    fit: float
    rewrite: float
    read: float
    calibrate: float
    quantize: float
    write: float
    refine: float
    distill: float
    judge: float
    total: float


@dataclass(frozen=True, repr=False)
class Quantization(Shown):
    """What quantize() came to; of a dry run what is known before."""

    dry_run: bool
    outputs: list[QuantizedOutput]
    parameters: int
    memory_bytes: int
    peak_memory_bytes: int
    seconds: QuantizeSeconds
    notes: list[str]
    rewrites: list[Rewritten]
    calibration_tokens: int
    own_text: Optional[OwnText]
    text: Optional[TextReading]
    met: bool

    def _tables(self) -> Sequence[_Table]:
        if self.dry_run:
            last = f"{self.parameters:,} parameters; nothing was written; peak memory {_size(self.memory_bytes)}"
        else:
            last = (
                f"{self.parameters:,} parameters in {self.seconds.total:.2f} s; "
                f"peak memory {_size(self.peak_memory_bytes)}"
            )
        notes = [*self.notes, *(note for output in self.outputs for note in output.notes)]
        judged = [
            _Table(f"{output.path} against its source", t.columns, t.rows)
            for output in self.outputs
            if output.judge is not None
            for t in output.judge._tables()
        ]
        return [_table_of(self.outputs), *_lines("", [last]), *judged, *_lines("notes", notes)]


@dataclass(frozen=True)
class PlannedSize:
    """What a dtype, a grid or a target takes; fits: None where no device was named."""

    name: str
    bits_per_weight: float
    bytes: int
    fits: Optional[bool]


@dataclass(frozen=True)
class Beside:
    """Parts of a checkpoint beside its decoder of text."""

    what: str
    tensors: int
    parameters: int
    bytes: int


@dataclass(frozen=True, repr=False)
class Plan(Shown):
    """Sizes and memory before anything runs."""

    parameters: int
    active_parameters: int
    beside: list[Beside]
    by_dtype: list[PlannedSize]
    outputs: list[PlannedSize]
    memory_bytes: int
    kv_cache_bytes: Optional[int]
    context: int

    def _tables(self) -> Sequence[_Table]:
        def table(title: str, sizes: Sequence[PlannedSize]) -> _Table:
            rows = [[s.name, f"{s.bits_per_weight:.3f}", _size(s.bytes), _yes(s.fits)] for s in sizes]
            return _Table(title, ["", "bits a weight", "size", "fits"], rows)

        parts = [
            table(f"{self.parameters:,} parameters", self.by_dtype),
            table("with scales and offsets", self.outputs),
        ]
        if self.kv_cache_bytes is not None:
            parts += _lines("", [f"KV cache of {self.context:,} tokens in FP16: {_size(self.kv_cache_bytes)}"])
        return parts


@dataclass(frozen=True)
class InspectedTensor:
    """A tensor of a checkpoint; grid: or dtype."""

    name: str
    role: str
    shape: list[int]
    grid: str
    bytes: int


@dataclass(frozen=True, repr=False)
class Inspection(Shown):
    """What is inside a checkpoint."""

    container: str
    architecture: str
    parameters: int
    bits_per_weight: float
    bytes: int
    metadata: Any
    tensors: list[InspectedTensor]
    beside: list[Beside]
    notes: list[str]
    problems: list[str]

    def __post_init__(self) -> None:
        if isinstance(self.metadata, str):
            object.__setattr__(self, "metadata", json.loads(self.metadata))

    def _tables(self) -> Sequence[_Table]:
        head: list[Cells] = [
            ["container", self.container],
            ["architecture", self.architecture or "unknown"],
            ["parameters", f"{self.parameters:,}"],
            ["bits a weight", f"{self.bits_per_weight:.3f}"],
            ["size", _size(self.bytes)],
        ]
        rows = [[t.name, t.role, " x ".join(map(str, t.shape)), t.grid, _size(t.bytes)] for t in self.tensors]
        return [
            _Table("", ["", ""], head),
            _Table("", ["tensor", "role", "shape", "grid", "size"], rows),
            *_lines("notes", self.notes),
            *_lines("problems", self.problems),
        ]


@dataclass(frozen=True)
class ObservedRange:
    """A range that an observer chose for int8 activations."""

    observer: str
    grid: str
    lo: float
    hi: float
    scale: float
    zero_point: int
    mean_squared_error: float
    sqnr_db: float


@dataclass(frozen=True)
class InspectedInput:
    """An input of linear layers; layer: -1 outside the layers, expert: -1 where it is of none."""

    layer: int
    role: str
    columns: int
    rows: int
    expert: int
    tokens: int
    lo: float
    hi: float
    outlier_columns: int
    observed: list[ObservedRange]


@dataclass(frozen=True, repr=False)
class StatisticsInspection(Shown):
    """What is inside a file of calibrate()."""

    tokens: int
    context: int
    bytes: int
    inputs: list[InspectedInput]

    def _tables(self) -> Sequence[_Table]:
        rows = [[i.layer, i.role, i.columns, f"{i.lo:.4g} .. {i.hi:.4g}", i.outlier_columns] for i in self.inputs]
        return [
            _Table(f"{self.tokens:,} tokens in windows of {self.context}, {_size(self.bytes)}",
                   ["layer", "role", "columns", "range", "outlier columns"], rows)
        ]


@dataclass(frozen=True)
class StoredNumber:
    """A number as a format holds it; NaN where there is no neighbour."""

    format: str
    code: int
    bits: str
    value: float
    decimal: str
    shortest: str
    below: float
    above: float


@dataclass(frozen=True, repr=False)
class NumberExplanation(_Text):
    """A number in each format."""

    value: Optional[float]
    formats: list[StoredNumber]
    text: str = field(compare=False)


@dataclass(frozen=True)
class QuantizedValue:
    """error: decoded - value."""

    value: float
    code: int
    decoded: float
    error: float


@dataclass(frozen=True)
class LinearGrid:
    """decoded = scale (code - zero_point) + minimum"""

    range: tuple[float, float]
    widened: bool
    scale: float
    zero_point: int
    minimum: float
    values: list[QuantizedValue]


@dataclass(frozen=True, repr=False)
class GridExplanation(_Text):
    """Linear quantization of a range."""

    lowest_code: int
    highest_code: int
    grid: LinearGrid
    clipped: Optional[LinearGrid]
    value: Optional[QuantizedValue]
    text: str = field(compare=False)


@dataclass(frozen=True)
class WorstGroup:
    """Weights that share parameters, and what these can give."""

    row: int
    column: int
    weights: int
    range: tuple[float, float]
    reach: tuple[float, float]
    error: float


@dataclass(frozen=True, repr=False)
class TensorExplanation(_Text):
    """What a grid does to one tensor."""

    name: str
    grid: str
    method: str
    shape: list[int]
    range: tuple[float, float]
    mean: float
    deviation: float
    bits_per_weight: float
    sqnr_db: float
    largest_error: float
    clipped: int
    groups: int
    worst: WorstGroup
    weights_histogram: list[int]
    decoded_histogram: list[int]
    text: str = field(compare=False)


@dataclass(frozen=True)
class Plane:
    """A stream of stored elements; weights: of a row that share one, 0: all of them."""

    name: str
    type: str
    bits: int
    weights: int


Inspected = Union[Inspection, StatisticsInspection]
