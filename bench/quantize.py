#!/usr/bin/env python3
"""Quantizes synthetic Llama-3.2-1B shapes (F16, 2.08 GB) and copies the same file, turn and turn about.

    cmake --preset release -DZEROPOINT_BENCH=ON && cmake --build --preset release
    bench/quantize.py [--build build/release] [--rounds 3] [--layers 16] [--folder /tmp/zeropoint-bench] TARGET...

A TARGET is GRID/METHOD for GGUF, e.g. q8_0/nearest q4_0/mse. Prints for each the median seconds of the
whole command, input GB/s, the ratio to the copies of the same rounds, and the program's own peak memory.
Two copies are timed: `cp`, and `cp` followed by `sync` of the copy, since a finished file of ours is on
the disk before it gets its name.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import time


def timed(command):
    begin = time.monotonic()
    done = subprocess.run(command, shell=True, check=True, stdout=subprocess.PIPE)
    return time.monotonic() - begin, done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release", type=pathlib.Path)
    parser.add_argument("--folder", default="/tmp/zeropoint-bench", type=pathlib.Path)
    parser.add_argument("--rounds", default=3, type=int)
    parser.add_argument("--layers", default=16, type=int)
    parser.add_argument("targets", nargs="*", default=["q8_0/nearest", "q8_0/mse", "q4_0/nearest", "q4_0/mse"])
    o = parser.parse_args()

    model = o.folder / "model.safetensors"
    if not model.exists():
        subprocess.run([o.build / "bench" / "synthetic", o.folder, str(o.layers)], check=True)
    size = model.stat().st_size
    out = o.folder / "out"
    jobs = {
        "cp": f"cp {model} {out}",
        "cp and sync": f"cp {model} {out} && sync {out}",
    }
    for target in o.targets:
        grid, method = target.split("/")
        jobs[target] = f"{o.build}/zeropoint quantize {o.folder} --to gguf:{grid}={out} --method {method} --quiet --json"

    subprocess.run(["cat", model], stdout=subprocess.DEVNULL, check=True)  # into the page cache
    seconds = {name: [] for name in jobs}
    memory = {}
    for _ in range(o.rounds):
        for name, command in jobs.items():
            out.unlink(missing_ok=True)
            os.sync()
            spent, stdout = timed(command)
            seconds[name].append(spent)
            if stdout:
                memory[name] = json.loads(stdout)["peak_memory_bytes"]
    out.unlink(missing_ok=True)

    medians = {name: statistics.median(all_) for name, all_ in seconds.items()}
    print(f"{size / 1e9:.2f} GB F16 input, {o.rounds} rounds, medians (all)")
    print(f"{'':16} {'seconds':>8} {'GB/s in':>8} {'x cp':>6} {'x synced':>9} {'own MiB':>8}")
    for name, median in medians.items():
        own = f"{memory[name] / 2**20:8.1f}" if name in memory else " " * 8
        print(f"{name:16} {median:8.2f} {size / 1e9 / median:8.2f} {median / medians['cp']:6.2f} "
              f"{median / medians['cp and sync']:9.2f} {own}   ({', '.join(f'{s:.2f}' for s in seconds[name])})")


if __name__ == "__main__":
    main()
