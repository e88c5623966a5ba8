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


def oracle(model):
    """Continuations computed now by transformers in FP32, or None without ZEROPOINT_ORACLES."""
    python = os.environ.get("ZEROPOINT_ORACLES")
    if not python:
        return None
    run = subprocess.run([python, HERE / "make_expected.py", model], stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout)["prompts"]


def expected_prompts(model):
    """The same, stored or computed; [] for a model nothing is stored of."""
    stored = [model / "expected.json", HERE / "expected" / f"{model.name}.json"]
    path = next((p for p in stored if p.exists()), None)
    return oracle(model) or (json.loads(path.read_text())["prompts"] if path else [])
