#!/usr/bin/env python3
"""What calibration is worth: mean KL divergence from the float model on held-out text, as a Markdown table.

    bench/calibrated.py MODEL --calibrate TRAIN --heldout TEXT [--tokens N] [--context N] [--bytes N] [TARGET...]

Texts may be xz-compressed. Of TRAIN 200 pieces are taken, spread evenly; of TEXT the first --bytes. Each TARGET is
CONTAINER:GRID and is written four times: nearest, mse, mse weighted by the inputs' mean squares, gptq.
"""

import argparse
import json
import lzma
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGETS = ["mlx:int4:g32", "mlx:int3:g64", "gguf:q4_k", "gguf:q3_k"]
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
    subprocess.run(
        [arguments.program, "quantize", arguments.model, "--to", f"{target}={out}", "--force", *method, *common],
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
    parser.add_argument("--bytes", type=int, default=200_000)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/zeropoint")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "train").write_text(spread(read(arguments.calibrate)))
        heldout = read(arguments.heldout).encode()[: arguments.bytes]
        (folder / "heldout").write_text(heldout.decode(errors="ignore").rsplit("\n", 1)[0] + "\n")
        calibrate = ["--calibrate", folder / "train", "--tokens", str(arguments.tokens)]
        methods = [
            ["--method", "nearest"],
            ["--method", "mse"],
            ["--method", "mse", *calibrate],
            ["--method", "gptq", *calibrate],
        ]
        print("| target | nearest | mse | mse, importance | gptq | gptq / mse |\n|---|---|---|---|---|---|")
        for target in arguments.targets:
            found = [divergence(arguments, folder, target, method) for method in methods]
            cells = [f"{kl['mean']:.6f} +- {kl['se']:.6f}" for kl in found]
            print(f"| {target} | {' | '.join(cells)} | {found[3]['mean'] / found[1]['mean']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
