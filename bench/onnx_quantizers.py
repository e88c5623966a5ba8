#!/usr/bin/env python3
"""Our int4 beside onnxruntime's own quantizer, on the same graph in the same runtime.

    bench/onnx_quantizers.py MODEL --calibrate TRAIN --heldout TEXT [--tokens N] [--context N] [--bytes N] [--block 32]
    bench/onnx_quantizers.py MODEL --seconds

The first prints mean KL divergence from the FP32 graph on held-out text, in nats per token, as a Markdown table. Every
matrix, the embedding too, has 4 bits, blocks of 32, FP32 scales and zero-points of 4 bits; MatMulNBits computes in FP32
(accuracy_level 1). onnxruntime's quantizer knows no tied head: it codes head and embedding each by itself. What it doesn't
do (k_quant knows no embeddings) its default does. The second prints the seconds of the whole command against those of its
quantizer with the model in memory, writing the result. Needs onnx-ir beside requirements/consumers.txt.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
from calibrated import read, spread
from onnxruntime.quantization import matmul_nbits_quantizer as nbits

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests/consumers"))
from onnx_runtime import Decoder  # noqa: E402

OURS = {"nearest": ["--method", "nearest"], "mse": ["--method", "mse"], "gptq": ["--method", "gptq"]}
THEIRS = ["default", "rtn", "k_quant"]


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def with_plain_products(folder):
    """The FP32 graph with products that onnxruntime's quantizer knows: MatMul of a [K, N] initializer."""
    model = onnx.load(folder / "model.onnx")
    tensors = {t.name: t for t in model.graph.initializer}
    turned = {}
    for node in model.graph.node:
        if node.op_type != "FusedMatMul":
            continue
        name = node.input[1]
        if name not in turned:
            turned[name] = name + ".turned"
            array = np.ascontiguousarray(onnx.numpy_helper.to_array(tensors[name]).T)
            model.graph.initializer.append(onnx.numpy_helper.from_array(array, turned[name]))
        node.op_type, node.domain, node.input[1] = "MatMul", "", turned[name]
        del node.attribute[:]
    used = {name for node in model.graph.node for name in node.input}
    for tensor in [t for t in model.graph.initializer if t.name not in used]:
        model.graph.initializer.remove(tensor)
    return model


def their_configs(kind, block):
    form = {"block_size": block, "is_symmetric": False, "accuracy_level": 1}
    rows = nbits.DefaultWeightOnlyQuantConfig(**form, op_types_to_quantize=("Gather",))
    products = {
        "default": nbits.DefaultWeightOnlyQuantConfig(**form, op_types_to_quantize=("MatMul",)),
        "rtn": nbits.RTNWeightOnlyQuantConfig(op_types_to_quantize=("MatMul",)),
        "k_quant": nbits.KQuantWeightOnlyQuantConfig(op_types_to_quantize=("MatMul",)),
    }
    return products[kind], rows


def theirs(model, kind, block, out):
    for config in their_configs(kind, block):
        tool = nbits.MatMulNBitsQuantizer(
            model, block_size=block, is_symmetric=False, accuracy_level=1, algo_config=config
        )
        tool.process()
        model = tool.model.model
    out.mkdir()
    onnx.save_model(model, out / "model.onnx", save_as_external_data=True, location="model.onnx.data")


def windows(program, model, heldout, context):
    ids = run(program, "tokenize", model, "--file", heldout, "--json")["ids"]
    config = json.loads((model / "config.json").read_text())
    cut = [ids[i : i + context] for i in range(0, len(ids) - context + 1, context)]
    if ids[0] == config.get("bos_token_id"):
        cut = [[ids[0], *window[1:]] for window in cut]
    return cut


def log_probabilities(decoder, window):
    logits = decoder.step(np.array([window]), decoder.empty_cache())[0][0, len(window) // 2 : -1].astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def divergence(exact, folder, cut):
    decoder = Decoder(folder)
    found = []
    for window, p in zip(cut, exact):
        found.append((np.exp(p) * (p - log_probabilities(decoder, window))).sum(axis=1))
    found = np.concatenate(found)
    return found.mean(), found.std() / np.sqrt(len(found))


def quality(o, folder):
    (folder / "train").write_text(spread(read(o.calibrate)))
    heldout = read(o.heldout).encode()[: o.bytes].decode(errors="ignore").rsplit("\n", 1)[0] + "\n"
    (folder / "heldout").write_text(heldout)
    subprocess.run([o.program, "quantize", o.model, "--to", f"onnx:fp32={folder / 'fp32'}", "--quiet"], check=True)
    cut = windows(o.program, o.model, folder / "heldout", o.context)
    decoder = Decoder(folder / "fp32")
    exact = [log_probabilities(decoder, window) for window in cut]
    rows = []
    for name, options in OURS.items():
        out = folder / name
        if name == "gptq":
            options = [*options, "--calibrate", folder / "train", "--tokens", o.tokens, "--context", o.context]
        run(o.program, "quantize", o.model, "--to", f"onnx:int4:g{o.block}={out}", "--json", "--quiet", *options)
        rows.append((f"zeropoint {name}", *divergence(exact, out, cut)))
    for kind in THEIRS:
        out = folder / f"their-{kind}"
        theirs(with_plain_products(folder / "fp32"), kind, o.block, out)
        rows.append((f"onnxruntime {kind}", *divergence(exact, out, cut)))
    best = min(mean for name, mean, _ in rows if name.startswith("onnxruntime"))
    print("| quantizer | KL divergence | of onnxruntime's best |\n|---|---|---|")
    for name, mean, error in rows:
        print(f"| {name} | {mean:.6f} +- {error:.6f} | {mean / best:.2f} |")


def timed(prepare, job, out):
    """The median of three runs; what the one before wrote is on the disk, and removed."""
    spent = []
    for _ in range(3):
        prepared = prepare()
        os.sync()
        begin = time.monotonic()
        said = job(prepared)
        spent.append(time.monotonic() - begin)
        del prepared
        shutil.rmtree(out)
    return statistics.median(spent), said


def seconds(o, folder):
    print("| quantizer | seconds | own memory, MiB |\n|---|---|---|")
    out = folder / "out"
    for name in o.methods:
        command = [o.program, "quantize", o.model, "--to", f"genai:int4:g{o.block}={out}", *OURS[name], "--json", "--quiet"]
        spent, said = timed(lambda command=command: command, lambda command: run(*command), out)
        print(f"| zeropoint {name} | {spent:.2f} | {said['peak_memory_bytes'] / 2**20:.0f} |", flush=True)
    fp32 = folder / "fp32"
    subprocess.run([o.program, "quantize", o.model, "--to", f"onnx:fp32={fp32}", "--quiet"], check=True)
    for kind in o.kinds:
        # The model is changed in place.
        spent, _ = timed(lambda: with_plain_products(fp32), lambda model, kind=kind: theirs(model, kind, o.block, out), out)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| onnxruntime {onnxruntime.__version__} {kind} | {spent:.2f} | {memory:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--calibrate", type=pathlib.Path)
    parser.add_argument("--heldout", type=pathlib.Path)
    parser.add_argument("--tokens", type=int, default=16384)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--bytes", type=int, default=200_000)
    parser.add_argument("--block", type=int, default=32)
    parser.add_argument("--seconds", action="store_true")
    parser.add_argument("--methods", nargs="*", default=["nearest"], help="ours, for --seconds")
    parser.add_argument("--kinds", nargs="*", default=["default"], help="onnxruntime's, for --seconds")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/zeropoint")
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        (seconds if o.seconds else quality)(o, pathlib.Path(name))


if __name__ == "__main__":
    main()
