#!/usr/bin/env python3
"""Squared error of every llama.cpp type as coded by this program, as a share of llama.cpp's quantizer (xllamacpp).

    bench/errors.py [--program build/release/zeropoint] [NAME=MODEL...]

Weights: Student t with 5 degrees of freedom, models/demo, and the matrices of each MODEL; 256 K of each at most, spread
over all. Importance: log-normal, one per column, and the error is weighted by it. Where llama.cpp insists on importance
it is given ones. Prints a table for bench/README.md.
"""

import argparse
import pathlib

import blocks
import gguf
import numpy as np

TYPES = ["q4_0", "q4_1", "q5_0", "q5_1", "q8_0", *blocks.TYPES, "iq3_s", "iq3_xxs", "iq2_s", "iq2_xs", "iq2_xxs"]
TYPES += ["iq1_m", "iq1_s", "tq1_0", "tq2_0", "mxfp4:blocks", "nvfp4:blocks"]
ROWS = 256


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=blocks.ROOT / "build/release/zeropoint")
    parser.add_argument("models", nargs="*", metavar="NAME=MODEL")
    options = parser.parse_args()
    models = {"Student t": None, "models/demo": blocks.ROOT / "models/demo"}
    models.update(model.split("=", 1) for model in options.models)
    sets = {}
    for name, model in models.items():
        w = blocks.weights(options.program, model)
        sets[name] = np.ascontiguousarray(w[np.linspace(0, len(w) - 1, min(ROWS, len(w))).astype(int)])
    importance = np.exp(np.random.default_rng(6).standard_normal(blocks.COLUMNS)).astype(np.float32)
    chunk = blocks.llama_chunk()
    print("| type |" + "".join(f" {name} | with importance |" for name in sets))
    print("|---" * (1 + 2 * len(sets)) + "|")
    for grid in TYPES:
        kind = gguf.GGMLQuantizationType[grid.split(":")[0].upper()]
        cells = []
        for w in sets.values():
            for h in (None, importance):
                found = [blocks.ours(options.program, grid, w, h)[0], blocks.theirs(chunk, kind, w, h)[0]]
                mine, their = (blocks.error(kind, data, w, h) ** 2 for data in found)
                cells.append(f" {mine / their:.3f} |" if their > 0 else " none |")
        print(f"| {grid.split(':')[0]} |" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
