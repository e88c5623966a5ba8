#!/usr/bin/env python3
"""Prefill and decode on synthetic Llama-3.2-1B shapes beside llama.cpp (xllamacpp) on the same files, turn and turn about.

    cmake --preset release -DZEROPOINT_BENCH=ON && cmake --build --preset release
    .venv/bin/python bench/engine.py [--build build/release] [--rounds 3] [--layers 16] [--folder /tmp/zeropoint-bench] [--model FOLDER] GRID...

Prints tokens/s of a prompt of about 512 tokens and of the 64 after it, their ratios, and for decoding the bytes of weights
read in a second beside a plain read of memory by as many threads in the same run. llama.cpp rounds activations to eight bits
where weights are quantized; ours stay FP32.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import threading
import time

import numpy as np

from synthetic_model import SOURCE, TEXT, model_folder

sys.path.insert(0, str(SOURCE / "tests/consumers"))
from llama import Llama  # noqa: E402

PROMPT, TOKENS = 512, 64


def read_bandwidth(threads):
    """Bytes/s of reading 1 GiB, each thread its part; the best of five."""
    parts = np.array_split(np.ones(1 << 27), threads)
    best = 0
    for _ in range(5):
        begin = time.monotonic()
        readers = [threading.Thread(target=part.max) for part in parts]
        for r in readers:
            r.start()
        for r in readers:
            r.join()
        best = max(best, (1 << 30) / (time.monotonic() - begin))
    return best


def ours(program, path, prompt, threads):
    command = [program, "run", path, "--prompt", prompt, "--tokens", str(TOKENS), "--threads", str(threads), "--json", "--quiet"]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    seconds = said["seconds"]
    return said["prompt_tokens"] / seconds["prompt"], (len(said["tokens"]) - 1) / seconds["generate"]


def theirs(path, prompt, threads):
    return Llama(path, context=PROMPT + 2 * TOKENS, threads=threads).rates(prompt, TOKENS)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release", type=pathlib.Path)
    parser.add_argument("--folder", default="/tmp/zeropoint-bench", type=pathlib.Path)
    parser.add_argument("--rounds", default=3, type=int)
    parser.add_argument("--layers", default=16, type=int)
    parser.add_argument("--model", type=pathlib.Path, help="a model with a tokenizer, in place of the synthetic one")
    parser.add_argument("--threads", default=2, type=int)
    parser.add_argument("grids", nargs="*", default=["fp32", "bf16", "q8_0", "q4_0"])
    o = parser.parse_args()
    o.folder.mkdir(parents=True, exist_ok=True)
    folder = o.model or model_folder(o.build, o.folder, o.layers)
    text = TEXT.read_text(encoding="utf-8")
    program = o.build / "zeropoint"
    ids = json.loads(subprocess.run([program, "tokenize", folder, text[:4000], "--json"], check=True, capture_output=True).stdout)
    prompt = text[: 4000 * PROMPT // len(ids["ids"])]
    print(f"plain read {read_bandwidth(o.threads) / 1e9:.1f} GB/s by {o.threads} threads")
    print("grid   prefill tokens/s: ours, llama.cpp, ratio    decode: ours, llama.cpp, ratio, GB/s of weights")
    for grid in o.grids:
        path = o.folder / f"{grid}.gguf"
        subprocess.run([program, "quantize", folder, "--to", f"gguf:{grid}={path}", "--method", "nearest", "--quiet", "--force"], check=True)
        rates = [(ours(program, path, prompt, o.threads), theirs(path, prompt, o.threads)) for _ in range(o.rounds)]
        (prefill, decode), (their_prefill, their_decode) = (
            tuple(statistics.median(r[side][i] for r in rates) for i in range(2)) for side in range(2)
        )
        print(
            f"{grid:6} {prefill:8.1f} {their_prefill:8.1f} {prefill / their_prefill:6.2f}    "
            f"{decode:8.2f} {their_decode:8.2f} {decode / their_decode:6.2f} {decode * path.stat().st_size / 1e9:8.1f}",
            flush=True,
        )
        path.unlink()


if __name__ == "__main__":
    main()
