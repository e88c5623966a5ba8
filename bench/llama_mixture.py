#!/usr/bin/env python3
"""The blocks of a GGUF coded anew by llama.cpp's quantizer (xllamacpp): what llama-quantize makes of the same types.

    bench/llama_mixture.py FLOAT.gguf TYPES.gguf OUT.gguf [--imatrix FILE.imatrix.gguf]

OUT is TYPES, with every block from FLOAT's weights (FP32) and, where the importance matrix has the tensor, its importance.
As llama-quantize does, embedding and head are coded without importance. `evaluate OUT --against` then compares the two.
"""

import argparse
import pathlib
import shutil

import blocks
import gguf
import numpy as np


def read_importance(path):
    """Mean squares of each input of the layers' matrices."""
    tensors = {t.name: t.data for t in gguf.GGUFReader(path).tensors}
    sums = {name: data for name, data in tensors.items() if name.startswith("blk.") and name.endswith(".in_sum2")}
    return {
        name.removesuffix(".in_sum2"): np.ascontiguousarray(data.ravel() / tensors[name.replace(".in_sum2", ".counts")].ravel()[0])
        for name, data in sums.items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("float", type=pathlib.Path)
    parser.add_argument("types", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--imatrix", type=pathlib.Path)
    options = parser.parse_args()
    importance = read_importance(options.imatrix) if options.imatrix else {}
    weights = {t.name: t for t in gguf.GGUFReader(options.float).tensors}
    chunk = blocks.llama_chunk()
    shutil.copyfile(options.types, options.out)
    out = np.memmap(options.out, np.uint8, "r+")
    count = 0
    for tensor in gguf.GGUFReader(options.types).tensors:
        block, size = gguf.GGML_QUANT_SIZES[tensor.tensor_type]
        if block == 1:
            continue
        w = np.ascontiguousarray(weights[tensor.name].data, np.float32)
        rows, columns = w.shape
        h = importance.get(tensor.name)
        coded = np.empty(rows * (columns // block * size), np.uint8)
        chunk(int(tensor.tensor_type), w.ctypes.data, coded.ctypes.data, 0, rows, columns, None if h is None else h.ctypes.data)
        at = int(tensor.data_offset)
        out[at : at + len(coded)] = coded
        count += 1
    out.flush()
    print(f"{count} tensors, {len(importance)} with importance")


if __name__ == "__main__":
    main()
