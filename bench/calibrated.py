#!/usr/bin/env python3
"""What calibration is worth: mean KL divergence from the float model on held-out text, as a Markdown table.

    bench/calibrated.py MODEL --calibrate TRAIN --heldout TEXT [--tokens N] [--context N] [--characters N] [TARGET...]

Texts may be xz-compressed. Of TRAIN 200 pieces are taken, spread evenly; of TEXT the first --characters. Each TARGET is
CONTAINER:GRID and is written with every method, or those of --method; *importance* is mse weighted by the inputs' mean
squares. --rewrite NAMES, as often as wanted, adds importance and gptq behind these rewrites. --set goes to quantize.
"""

import argparse
import json
import lzma
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGETS = ["mlx:int4:g32", "mlx:int4:g128", "mlx:int3:g64", "gguf:q4_k", "gguf:q3_k", "gguf:iq4_xs"]
TARGETS += ["onnx:nf4", "gguf:mxfp4", "gguf:q4_k_m", "gguf:q3_k_m"]
PIECES = 200
PIECE = 4000  # characters


def read(path):
    data = path.read_bytes()
    return (lzma.decompress(data) if path.suffix == ".xz" else data).decode()


def spread(text):
    """Whole lines of pieces of the text; all of one that is short."""
    if len(text) <= PIECES * PIECE:
        return text
    step = len(text) // PIECES
    pieces = (text[i * step : i * step + PIECE] for i in range(PIECES))
    return "\n".join(piece.split("\n", 1)[-1].rsplit("\n", 1)[0] for piece in pieces)


def divergence(arguments, folder, target, method):
    out = folder / target.replace(":", "-")  # a file or a folder, as the container has it
    common = ["--context", str(arguments.context), "--quiet"]
    sets = [word for exception in arguments.set for word in ("--set", exception)]
    subprocess.run(
        [arguments.program, "quantize", arguments.model, "--to", f"{target}={out}", "--force", *method, *sets, *common],
        check=True,
    )
    judged = subprocess.run(
        [arguments.program, "evaluate", out, "--text", folder / "heldout", "--against", arguments.model, "--json", *common],
        check=True,
        stdout=subprocess.PIPE,
    )
    return json.loads(judged.stdout)["kl_divergence"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("targets", nargs="*", default=TARGETS)
    parser.add_argument("--calibrate", type=pathlib.Path, required=True)
    parser.add_argument("--heldout", type=pathlib.Path, required=True)
    parser.add_argument("--tokens", type=int, default=16384)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--characters", type=int, default=200_000)
    parser.add_argument("--method", action="append")
    parser.add_argument("--rewrite", action="append", default=[])
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/zeropoint")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "train").write_text(spread(read(arguments.calibrate)))
        (folder / "heldout").write_text(read(arguments.heldout)[: arguments.characters])
        calibrate = ["--calibrate", folder / "train", "--tokens", str(arguments.tokens)]
        coders = {
            "nearest": ["--method", "nearest"],
            "mse": ["--method", "mse"],
            "hqq": ["--method", "hqq"],
            "importance": ["--method", "mse", *calibrate],
            "gptq, no upstream": ["--method", "gptq:upstream=off", *calibrate],
            "gptq": ["--method", "gptq", *calibrate],
        }
        methods = {name: coders[name] for name in arguments.method or coders}
        for rewrite in arguments.rewrite:
            for name in ["importance", "gptq"]:
                methods[f"{rewrite}, {name}"] = [*coders[name], "--rewrite", rewrite]
        print(f"| target | {' | '.join(methods)} |\n|---|{'---|' * len(methods)}")
        for target in arguments.targets:
            found = {name: divergence(arguments, folder, target, method) for name, method in methods.items()}
            cells = [f"{kl['mean']:.5f} +- {kl['se']:.5f}" for kl in found.values()]
            print(f"| {target} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
