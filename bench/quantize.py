#!/usr/bin/env python3
"""Quantizes synthetic Llama-3.2-1B shapes (F16, 2.08 GB) and copies the same file, turn and turn about.

    cmake --preset release -DZEROPOINT_BENCH=ON && cmake --build --preset release
    bench/quantize.py [--build build/release] [--rounds 3] [--layers 16] [--folder /tmp/zeropoint-bench] TARGET...
    bench/quantize.py --llama        # Q4_K_M, Q6_K, IQ4_XS, Q4_K_M with importance, beside llama.cpp's quantizer

A TARGET is GRID/METHOD for GGUF, e.g. q8_0/nearest q4_0/mse; GRID/importance is mse with an importance matrix
(log-normal). Prints for each the median seconds of the whole command, input GB/s, the ratio to the copies of the same
rounds, and the program's own peak memory; with --llama also how often our time goes into llama.cpp's (llama_chunks.py).
Two copies are timed: `cp`, and `cp` followed by `sync` of the copy, since a finished file of ours is on
the disk before it gets its name.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BESIDE_LLAMA = ["q4_k_m/mse", "q6_k/mse", "iq4_xs/mse", "q4_k_m/importance"]


def timed(command):
    begin = time.monotonic()
    done = subprocess.run(command, shell=True, check=True, stdout=subprocess.PIPE)
    return time.monotonic() - begin, done.stdout


def write_importance(path, layers):
    """llama.cpp's imatrix in its old form: log-normal mean squares for every column."""
    columns = dict.fromkeys(["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up"], 2048) | {"ffn_down": 8192}
    rng = random.Random(7)
    with open(path, "wb") as file:
        file.write(struct.pack("<i", layers * len(columns)))
        for layer in range(layers):
            for name, count in columns.items():
                name = f"blk.{layer}.{name}.weight".encode()
                file.write(struct.pack("<i", len(name)) + name + struct.pack("<ii", 1, count))
                file.write(struct.pack(f"<{count}f", *(rng.lognormvariate(0, 1) for _ in range(count))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/release", type=pathlib.Path)
    parser.add_argument("--folder", default="/tmp/zeropoint-bench", type=pathlib.Path)
    parser.add_argument("--rounds", default=3, type=int)
    parser.add_argument("--layers", default=16, type=int)
    parser.add_argument("--llama", action="store_true")
    parser.add_argument("targets", nargs="*")
    o = parser.parse_args()
    targets = o.targets or (BESIDE_LLAMA if o.llama else ["q8_0/nearest", "q8_0/mse", "q4_0/nearest", "q4_0/mse"])

    model = o.folder / "model.safetensors"
    if not model.exists():
        subprocess.run([o.build / "bench" / "synthetic", o.folder, str(o.layers)], check=True)
    size = model.stat().st_size
    out = o.folder / "out"
    jobs = {
        "cp": f"cp {model} {out}",
        "cp and sync": f"cp {model} {out} && sync {out}",
    }
    importance = o.folder / "importance.dat"
    write_importance(importance, o.layers)
    quantize = f"{o.build}/zeropoint quantize {o.folder} --quiet --json"
    theirs = {}
    for target in targets:
        grid, method = target.split("/")
        weighed = method == "importance"
        extra = f" --statistics {importance}" if weighed else ""
        jobs[target] = f"{quantize} --to gguf:{grid}={out} --method {'mse' if weighed else method}{extra}"
        if o.llama:
            types = o.folder / f"{grid}.gguf"
            subprocess.run(f"{quantize} --to gguf:{grid}={types} --method nearest --force", shell=True, check=True, stdout=subprocess.DEVNULL)
            theirs[target] = f"llama.cpp {target}"
            jobs[theirs[target]] = f"{sys.executable} {HERE / 'llama_chunks.py'} {o.folder} {types} {out}{extra}"

    subprocess.run(["cat", model], stdout=subprocess.DEVNULL, check=True)  # into the page cache
    seconds = {name: [] for name in jobs}
    memory = {}
    for _ in range(o.rounds):
        for name, command in jobs.items():
            out.unlink(missing_ok=True)
            os.sync()
            spent, stdout = timed(command)
            if name in theirs.values():
                spent = float(stdout)
            elif stdout:
                memory[name] = json.loads(stdout)["peak_memory_bytes"]
            seconds[name].append(spent)
    out.unlink(missing_ok=True)

    medians = {name: statistics.median(all_) for name, all_ in seconds.items()}
    print(f"{size / 1e9:.2f} GB F16 input, {o.rounds} rounds, medians (all)")
    print(f"{'':28} {'seconds':>8} {'GB/s in':>8} {'x cp':>6} {'x synced':>9} {'own MiB':>8}")
    for name, median in medians.items():
        own = f"{memory[name] / 2**20:8.1f}" if name in memory else " " * 8
        print(f"{name:28} {median:8.2f} {size / 1e9 / median:8.2f} {median / medians['cp']:6.2f} "
              f"{median / medians['cp and sync']:9.2f} {own}   ({', '.join(f'{s:.2f}' for s in seconds[name])})")
    for target, their in theirs.items():
        print(f"{target}: {medians[their] / medians[target]:.1f} x as fast as llama.cpp's quantizer")


if __name__ == "__main__":
    main()
