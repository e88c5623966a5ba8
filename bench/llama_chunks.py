#!/usr/bin/env python3
"""A checkpoint's matrices through llama.cpp's quantizer (xllamacpp), in the types of a GGUF of the same model.

    bench/llama_chunks.py FOLDER TYPES.gguf OUT [--statistics FILE.dat] [--threads 2]

What llama-quantize does with the weights: read, to FP32, ggml_quantize_chunk on every thread, write. xllamacpp has no
llama_model_quantize, so this stands for it; numpy turns FP16 into FP32, and there is no checking and no header, which
is all in llama.cpp's favour. Prints the seconds from opening the checkpoint to the last write.
"""

import argparse
import concurrent.futures
import json
import mmap
import os
import pathlib
import struct
import time

import blocks
import gguf
import numpy as np

NAMES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
         "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
         "ffn_down": "mlp.down_proj"}  # fmt: skip
ROWS = 64  # of a task


def gguf_name(name):
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    layer, _, part = name.removeprefix("model.layers.").removesuffix(".weight").partition(".")
    return next((f"blk.{layer}.{ours}.weight" for ours, theirs in NAMES.items() if theirs == part), None)


def matrices(data):
    (size,) = struct.unpack("<Q", data[:8])
    for name, tensor in json.loads(data[8 : 8 + size]).items():
        if name != "__metadata__" and len(tensor["shape"]) == 2:
            yield gguf_name(name), tensor["shape"], 8 + size + tensor["data_offsets"][0]


def read_statistics(path):
    """Importance of each matrix, from the old form of llama.cpp's imatrix."""
    data, at, found = path.read_bytes(), 4, {}
    for _ in range(struct.unpack_from("<i", data)[0]):
        (length,) = struct.unpack_from("<i", data, at)
        name = data[at + 4 : at + 4 + length].decode()
        at += 4 + length
        calls, count = struct.unpack_from("<ii", data, at)
        found[name] = np.frombuffer(data, np.float32, count, at + 8) / np.float32(calls)
        at += 8 + 4 * count
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("types", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--statistics", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    types = {t.name: t.tensor_type for t in gguf.GGUFReader(options.types).tensors}
    statistics = read_statistics(options.statistics) if options.statistics else {}
    chunk = blocks.llama_chunk()

    begin = time.monotonic()
    out = os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    to = 0
    with open(options.folder / "model.safetensors", "rb") as file, concurrent.futures.ThreadPoolExecutor(options.threads) as pool:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        for name, (rows, cols), offset in matrices(data):
            kind = types[name]
            block, size = gguf.GGML_QUANT_SIZES[kind]
            row_bytes = cols // block * size
            h = statistics.get(name)
            halves = np.frombuffer(data, np.float16, rows * cols, offset).reshape(rows, cols)

            def task(first):
                w = halves[first : first + ROWS].astype(np.float32)
                packed = np.empty(len(w) * row_bytes, np.uint8)
                importance = None if h is None else h.ctypes.data
                chunk(int(kind), w.ctypes.data, packed.ctypes.data, 0, len(w), cols, importance)
                os.pwrite(out, packed, to + first * row_bytes)

            list(pool.map(task, range(0, rows, ROWS)))
            to += rows * row_bytes
    os.close(out)
    print(time.monotonic() - begin)


if __name__ == "__main__":
    main()
