#!/usr/bin/env python3
"""Encoding beside the `tokenizers` package, one thread each, turn and turn about.

    cmake --preset release && cmake --build --preset release
    .venv/bin/python bench/encode.py [--build build/release] [--rounds 5] [--text FILE...] FOLDER...

Each text is cut into pieces of about 4 kB at line ends. Prints MB/s of both (medians) and their ratio; both must give
the same number of ids.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parent.parent


def pieces(path):
    out, size = [""], 0
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if size > 4000:
            out.append("")
            size = 0
        out[-1] += line
        size += len(line.encode())
    return out


def ours(program, folder, texts):
    lines = "".join(json.dumps(t) + "\n" for t in texts)
    said = subprocess.run([program, folder, "--seconds"], input=lines, capture_output=True, text=True, check=True).stdout.split()
    return float(said[0]), int(said[1])


def theirs(folder, texts):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    begin = time.perf_counter()
    count = sum(len(tokenizer.encode(t, add_special_tokens=False).ids) for t in texts)
    return time.perf_counter() - begin, count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release", type=pathlib.Path)
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--text", nargs="+", default=[SOURCE / "models/demo/heldout.txt"], type=pathlib.Path)
    parser.add_argument("folders", nargs="*", default=[SOURCE / "models/demo"], type=pathlib.Path)
    o = parser.parse_args()
    for folder in o.folders:
        for path in o.text:
            texts = pieces(path)
            size = sum(len(t.encode()) for t in texts) / 1e6
            rounds = [(ours(o.build / "encode_texts", folder, texts), theirs(folder, texts)) for _ in range(o.rounds)]
            mine, other = (statistics.median(r[side][0] for r in rounds) for side in range(2))
            counts = {r[side][1] for r in rounds for side in range(2)}
            print(
                f"{folder.name:16} {path.name:20} {size:6.2f} MB: {size / mine:7.2f} MB/s, tokenizers {size / other:7.2f} MB/s, "
                f"ratio {other / mine:5.2f}{'' if len(counts) == 1 else f'; ids differ: {sorted(counts)}'}",
                flush=True,
            )


if __name__ == "__main__":
    main()
