"""What tests of folder consumers share: the program, models to try it on, stored continuations.

Tests are started as    python NAME_test.py PROGRAM SOURCE_DIR
"""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM, SOURCE = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
SHARED = SOURCE.parent / "shared" / "data"
CLOSE = 0.01  # logits nearer than this may change places when sums run in another order

MODELS = [
    SOURCE / "models/demo",
    SHARED / "models/stories260k",
    SHARED / "models/tinystories-656k",
    SHARED / "models/tinystories-656k-phi3",
    SHARED / "models/en-bn-llama",
    SHARED / "models/micro-lm-gpt2",
]


def models():
    """Folders that are there; exits with 77 when none is."""
    found = [m for m in MODELS if (m / "config.json").exists()]
    for model in MODELS:
        if model not in found:
            print(f"no {model}: left out")
    if not found:
        print("skipped: no model to quantize")
        sys.exit(77)
    return found


def quantize(model, targets, *options):
    """targets: path -> "mlx:int4:g64". Returns the outputs the program reports, by path."""
    command = [PROGRAM, "quantize", model, "--json", "--quiet", *options]
    for path, target in targets.items():
        command += ["--to", f"{target}={path}"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        raise AssertionError(f"{model.name}: exit code {run.returncode}: {run.stderr}")
    return {pathlib.Path(output["path"]): output for output in json.loads(run.stdout)["outputs"]}


def oracle(requests):
    """Of every model the continuations that transformers computes now in FP32: all in one process,
    for it takes longer to start than to compute. None without ZEROPOINT_ORACLES."""
    python = os.environ.get("ZEROPOINT_ORACLES")
    if not python:
        return None
    run = subprocess.run([python, HERE / "make_expected.py", *requests], stdout=subprocess.PIPE, check=True)
    return [json.loads(line)["prompts"] for line in run.stdout.splitlines()]


def stored_continuations(model):
    """The file that has them, or None."""
    places = [model / "expected.json", HERE / "expected" / f"{model.name}.json"]
    return next((path for path in places if path.exists()), None)


def continuations(folders):
    """{model: its continuations}, computed now or stored; [] for a model nothing is stored of."""
    stored = {model: stored_continuations(model) for model in folders}
    computed = oracle([f"{model}={path}" if path else model for model, path in stored.items()])
    if computed:
        return dict(zip(folders, computed, strict=True))
    return {model: json.loads(path.read_text())["prompts"] if path else [] for model, path in stored.items()}
