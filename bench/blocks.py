#!/usr/bin/env python3
"""Block types coded by this program and by llama.cpp's quantizer (xllamacpp) in one run, on one core each.

    bench/blocks.py [--program build/release/zeropoint] [--model MODEL] [TYPE...]

Weights: 4 M of Student t with 5 degrees of freedom, or those of a model's matrices. Importance: log-normal, one per
column. Prints million weights a processor second, the ratio, and the (weighted) RMSE relative to the weights and to llama.cpp's.
"""

import argparse
import ctypes
import pathlib
import subprocess
import tempfile
import time

import gguf
import numpy as np
import xllamacpp

ROOT = pathlib.Path(__file__).resolve().parent.parent
TYPES = ["q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "iq4_xs"]
INSIST = ["IQ2_XS", "IQ2_XXS", "IQ1_S", "IQ1_M"]  # on importance: llama.cpp aborts without
COLUMNS = 1024
TIMES = 3


def llama_chunk():
    (library,) = pathlib.Path(xllamacpp.__file__).parent.glob("xllamacpp*.so")
    chunk = ctypes.CDLL(str(library)).ggml_quantize_chunk
    chunk.restype = ctypes.c_size_t
    int64, pointer = ctypes.c_int64, ctypes.c_void_p
    chunk.argtypes = [ctypes.c_int, pointer, pointer, int64, int64, int64, pointer]
    return chunk


def theirs(chunk, kind, w, h):
    block, size = gguf.GGML_QUANT_SIZES[kind]
    out = np.zeros((len(w), COLUMNS // block * size), np.uint8)
    seconds = []
    if h is None and kind.name in INSIST:
        h = np.ones(COLUMNS, np.float32)
    for _ in range(TIMES):
        begin = time.process_time()
        chunk(int(kind), w.ctypes.data, out.ctypes.data, 0, len(w), COLUMNS, None if h is None else h.ctypes.data)
        seconds.append(time.process_time() - begin)
    return out, min(seconds)


def ours(program, grid, w, h):
    command = [program.parent / "code_blocks", grid, str(COLUMNS), "mse" if h is None else "weighted", str(TIMES)]
    run = subprocess.run(command, input=(b"" if h is None else h.tobytes()) + w.tobytes(), capture_output=True, check=True)
    return np.frombuffer(run.stdout, np.uint8).reshape(len(w), -1), float(run.stderr)


def error(kind, blocks, w, h):
    weight = np.float64(1) if h is None else h.astype(np.float64)
    square = weight * (gguf.quants.dequantize(blocks, kind) - w.astype(np.float64)) ** 2
    return float(np.sqrt(np.sum(square) / np.sum(weight * w.astype(np.float64) ** 2)))


def weights(program, model):
    if model is None:
        random = np.random.default_rng(5)
        return (random.standard_t(5, size=(4096, COLUMNS)) * 0.02).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "fp32.gguf"
        subprocess.run([program, "quantize", model, "--to", f"gguf:fp32={path}", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        matrices = [np.array(t.data).reshape(-1) for t in gguf.GGUFReader(path).tensors if t.data.ndim == 2]
    flat = np.concatenate(matrices)
    return flat[: flat.size // COLUMNS * COLUMNS].reshape(-1, COLUMNS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/zeropoint")
    parser.add_argument("--model")
    parser.add_argument("types", nargs="*", default=TYPES)
    options = parser.parse_args()
    chunk, w = llama_chunk(), weights(options.program, options.model)
    importance = np.exp(np.random.default_rng(6).standard_normal(COLUMNS)).astype(np.float32)
    print(f"{w.size} weights; million a second: ours, llama.cpp's, ratio; relative RMSE: ours, llama.cpp's, ratio")
    for grid in options.types:
        kind = gguf.GGMLQuantizationType[grid.split(":")[0].upper()]
        for h in (None, importance):
            blocks, seconds = ours(options.program, grid, w, h)
            their_blocks, their_seconds = theirs(chunk, kind, w, h)
            e, their_e = error(kind, blocks, w, h), error(kind, their_blocks, w, h)
            rates = [w.size / s / 1e6 for s in (seconds, their_seconds)]
            print(
                f"{grid:7}{'weighted' if h is not None else '':9}{rates[0]:7.1f} {rates[1]:7.1f} {rates[0] / rates[1]:6.1f}x"
                f"    {e:.5f} {their_e:.5f} {e / their_e:.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
