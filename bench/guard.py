#!/usr/bin/env python3
"""Speed beside another commit's, turn and turn about: a vector path that was lost shows as a ratio far below one.

    cmake --preset release -DZEROPOINT_BENCH=ON && cmake --build --preset release
    bench/guard.py [--against HEAD~1] [--build build/release] [--rounds 5] [FILTER]

Builds the other commit in a temporary folder (ccache has most of it), then times both by the same commands, one core each:
coding, decoding and products of every grid (grids_bench), prefill and generation (run), calibration, GPTQ. Of each it
prints medians, the median of the rounds' ratios (above one: faster than before), and its spread: the factor between it and
the round farthest from it. What moved by more is marked; a loaded machine hides all but large changes, and says so by
the spread. FILTER, a regular expression, takes grids and the other measurements by name. Standard library only.
"""

import argparse
import contextlib
import functools
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

from synthetic_model import SOURCE, TEXT, model_folder

GRID_ROWS = "nearest|mse|decode|products"
ENGINE_GRIDS = ["bf16", "q8_0", "q4_k", "iq4_nl", "iq2_xs"]
PROMPT, TOKENS = 2000, 32  # characters, tokens
CALIBRATION = ["--calibrate", TEXT, "--tokens", 8192, "--context", 128]


def output_of(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


@contextlib.contextmanager
def built(commit):
    """The build folder of a commit, for a while."""
    with tempfile.TemporaryDirectory(prefix="zeropoint-guard-") as folder:
        archive = subprocess.run(["git", "-C", SOURCE, "archive", commit], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        environment = {**os.environ, "CCACHE_BASEDIR": folder, "CCACHE_NOHASHDIR": "true"}
        for command in [["--preset", "release", "-DZEROPOINT_BENCH=ON", "-DZEROPOINT_TESTS=OFF"],
                        ["--build", "--preset", "release", "--target", "zeropoint", "grids_bench"]]:  # fmt: skip
            subprocess.run(["cmake", *command], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        yield pathlib.Path(folder) / "build/release"


def grid_rates(filter, build):
    """Million weights a second of processor time."""
    options = [f"--benchmark_filter={filter}", "--benchmark_format=json", "--benchmark_min_time=0.02"]
    ran = json.loads(output_of(build / "bench/grids_bench", *options))["benchmarks"]
    return {row["name"]: row["weights/s"] / 1e6 for row in ran}


@functools.cache
def engine_file(maker, folder, grid):
    """One layer of synthetic weights on a grid."""
    path = folder / f"{grid}.gguf"
    model = model_folder(maker, folder, 1)
    output_of(maker / "zeropoint", "quantize", model, "--to", f"gguf:{grid}={path}", "--method", "nearest", "--quiet")
    return path


def engine_rates(grid, maker, folder, build):
    """Tokens a second."""
    path = engine_file(maker, folder, grid)
    prompt = TEXT.read_text(encoding="utf-8")[:PROMPT]
    options = ["--prompt", prompt, "--tokens", TOKENS, "--threads", 1, "--json", "--quiet"]
    said = json.loads(output_of(build / "zeropoint", "run", path, *options))
    prefill = said["prompt_tokens"] / said["seconds"]["prompt"]
    generate = (len(said["tokens"]) - 1) / said["seconds"]["generate"]
    return {f"engine {grid}/prefill": prefill, f"engine {grid}/generate": generate}


def calibration_rates(out, build):
    """Thousand tokens a second through the model and its statistics; million weights a second through GPTQ."""
    options = ["--to", f"gguf:q4_k={out}", *CALIBRATION, "--threads", 1, "--json", "--quiet", "--force"]
    said = json.loads(output_of(build / "zeropoint", "quantize", SOURCE / "models/demo", *options))
    seconds = said["seconds"]
    return {"calibration": 8.192 / seconds["calibrate"], "gptq": said["parameters"] / 1e6 / seconds["quantize"]}


def measurements(build, folder):
    """[(what it is called, function of a build folder)]"""
    listed = output_of(build / "bench/grids_bench", "--benchmark_list_tests").split()
    specs = dict.fromkeys(row.rpartition("/")[0] for row in listed if "/" in row)
    yield "copy", functools.partial(grid_rates, "^copy$")
    for spec in specs:
        yield spec, functools.partial(grid_rates, f"^{re.escape(spec)}/({GRID_ROWS})$")
    for grid in ENGINE_GRIDS:
        yield f"engine {grid}", functools.partial(engine_rates, grid, build, folder)
    yield "calibration", functools.partial(calibration_rates, folder / "calibrated.gguf")


def rounds_of(measure, builds, rounds):
    """{row: [(rate before, rate now)]}, of rows that both have."""
    pairs = {}
    for i in range(rounds):
        order = (0, 1) if i % 2 == 0 else (1, 0)
        rates = {side: measure(builds[side]) for side in order}
        for row in rates[1]:
            if row in rates[0]:
                pairs.setdefault(row, []).append((rates[0][row], rates[1][row]))
    return pairs


def line_of(row, pairs):
    ratios = [now / before for before, now in pairs]
    ratio = statistics.median(ratios)
    spread = max(max(r / ratio, ratio / r) for r in ratios)
    before, now = (statistics.median(side) for side in zip(*pairs))
    moved = "faster" if ratio > spread else "slower" if ratio < 1 / spread else ""
    return f"{row:32} {before:10.2f} {now:10.2f} {ratio:7.3f} {spread:7.3f}  {moved}".rstrip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", default="HEAD~1", help="a commit")
    parser.add_argument("--build", default=SOURCE / "build/release", type=pathlib.Path)
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("filter", nargs="?", default="")
    o = parser.parse_args()
    build = o.build.resolve()
    with built(o.against) as before, tempfile.TemporaryDirectory() as folder:
        print(f"{'':32} {'before':>10} {'now':>10} {'ratio':>7} {'spread':>7}")
        for name, measure in measurements(build, pathlib.Path(folder)):
            if not re.search(o.filter, name):
                continue
            for row, pairs in rounds_of(measure, (before, build), o.rounds).items():
                print(line_of(row, pairs), flush=True)


if __name__ == "__main__":
    main()
