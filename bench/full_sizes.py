#!/usr/bin/env python3
"""Hybrids in their full sizes: what plan and a dry run say of the whole model, and what one layer of each kind costs to quantize.

    cmake --preset release && cmake --build --preset release --target zeropoint
    bench/full_sizes.py --calibrate TEXT [--folder /tmp/zeropoint-full] [--to gguf:q4_k_m] [NAME...]

Shapes alone are the models': the whole stands in a file without contents, which takes no room; layers that are run have random
weights in BF16. Times are of `plan` on the config, of `quantize --dry-run` with --memory and --calibrate, and of quantize with mse
(what people run without a text). Peak memory is the process's own. A model's folder is removed behind its row.
"""

import argparse
import json
import math
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import random_models
from random_models import DEEPSEEK_V3, GEMMA4_EXPERTS, GEMMA4_SHARED, LFM2_MOE, QWEN3_5, QWEN3_5_MOE, Draw, draw_model

CONTENTS = 1 << 25  # random numbers, over and over


def turns(kinds, layers):
    return (kinds * layers)[:layers]


LINEAR = ["linear_attention"] * 3 + ["full_attention"]
SLIDING = ["sliding_attention"] * 5 + ["full_attention"]
QWEN = {"head_dim": 256, "linear_key_head_dim": 128, "linear_value_head_dim": 128, "linear_num_key_heads": 16, "vocab_size": 248320,
        "max_position_embeddings": 262144, "full_attention_interval": 4}  # fmt: skip
GEMMA = {"head_dim": 256, "global_head_dim": 512, "vocab_size": 262144, "max_position_embeddings": 131072, "sliding_window": 1024}
# Name -> the whole's config, and which of its layers are one of each kind.
MODELS = {
    "Qwen3.8-27B": (
        {**QWEN3_5, **QWEN, "hidden_size": 5120, "intermediate_size": 17408, "num_hidden_layers": 64, "layer_types": turns(LINEAR, 64),
         "num_attention_heads": 24, "num_key_value_heads": 4, "linear_num_value_heads": 48},
        [2, 3],
    ),
    "Qwen3.6-35B-A3B": (
        {**QWEN3_5_MOE, **QWEN, "hidden_size": 2048, "num_hidden_layers": 40, "layer_types": turns(LINEAR, 40), "num_attention_heads": 16,
         "num_key_value_heads": 2, "linear_num_value_heads": 32, "num_experts": 256, "num_experts_per_tok": 8,
         "moe_intermediate_size": 512, "shared_expert_intermediate_size": 512},
        [2, 3],
    ),
    "Gemma 4 26B-A4B": (
        {**GEMMA4_EXPERTS, **GEMMA, "hidden_size": 2816, "intermediate_size": 2112, "num_hidden_layers": 30, "layer_types": turns(SLIDING, 30),
         "num_attention_heads": 16, "num_key_value_heads": 8, "num_global_key_value_heads": 2, "num_experts": 128, "top_k_experts": 8,
         "moe_intermediate_size": 704, "vocab_size_per_layer_input": 262144},
        [4, 5],
    ),
    "Gemma 4 E4B": (
        {**GEMMA4_SHARED, **GEMMA, "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 42, "layer_types": turns(SLIDING, 42),
         "num_attention_heads": 8, "num_key_value_heads": 2, "num_kv_shared_layers": 18, "hidden_size_per_layer_input": 256,
         "vocab_size_per_layer_input": 262144, "use_double_wide_mlp": False, "per_layer_config": None, "sliding_window": 512},
        [22, 23, 24, 29],
    ),
    "LFM2.5-8B-A1B": (
        {**LFM2_MOE, "hidden_size": 2048, "intermediate_size": 7168, "num_hidden_layers": 24, "num_attention_heads": 32, "num_key_value_heads": 8,
         "layer_types": turns(["conv", "conv", "full_attention", "conv"], 24), "num_dense_layers": 2, "num_experts": 32,
         "num_experts_per_tok": 4, "moe_intermediate_size": 1792, "vocab_size": 128000, "max_position_embeddings": 128000},
        [1, 2, 3],
    ),
    "DeepSeek-V3": (
        {**DEEPSEEK_V3, "hidden_size": 7168, "intermediate_size": 18432, "num_hidden_layers": 61, "num_attention_heads": 128,
         "num_key_value_heads": 128, "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
         "v_head_dim": 128, "n_routed_experts": 256, "num_experts_per_tok": 8, "moe_intermediate_size": 2048, "n_group": 8,
         "topk_group": 4, "first_k_dense_replace": 3, "vocab_size": 129280, "max_position_embeddings": 163840,
         "num_nextn_predict_layers": 0},
        [2, 3],
    ),
}  # fmt: skip


class Shapes(Draw):
    def normals(self, shape, deviation, mean):
        return shape, deviation, mean


def layers_of(config, kept):
    """Its config with these layers alone."""
    few = {**config, "num_hidden_layers": len(kept)}
    if "layer_types" in config:
        few["layer_types"] = [config["layer_types"][i] for i in kept]
    for dense in ("first_k_dense_replace", "num_dense_layers"):
        if dense in config:
            few[dense] = sum(i < config[dense] for i in kept)
    if config.get("num_kv_shared_layers"):
        few["num_kv_shared_layers"] = sum(i >= config["num_hidden_layers"] - config["num_kv_shared_layers"] for i in kept)
    return few


def write_model(folder, config, contents):
    """In BF16; without contents the file has its size alone."""
    folder.mkdir(parents=True)
    config = {key: value for key, value in config.items() if value is not None}
    (folder / "config.json").write_text(json.dumps({**config, "torch_dtype": "bfloat16"}))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(ROOT / "models/demo" / name, folder)
    random_models.VOCABULARY = config["vocab_size"]
    header, end = {}, 0
    tensors = draw_model(Shapes(), config)
    for name, (shape, _, _) in tensors.items():
        size = 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
        for shape, deviation, mean in tensors.values() if contents is not None else ():
            left, scaled = math.prod(shape), mean + deviation * contents[: min(math.prod(shape), len(contents))]
            coded = (scaled.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
            while left > 0:
                file.write(coded[: min(left, len(coded))].tobytes())
                left -= min(left, len(coded))
    return folder


def run(*command):
    """Seconds, and the process's peak memory in MB."""
    begin = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{said}")
    return time.monotonic() - begin, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/zeropoint")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/tmp/zeropoint-full"))
    parser.add_argument("--calibrate", type=pathlib.Path, required=True)
    parser.add_argument("--memory", default="4G")
    parser.add_argument("--to", default="gguf:q4_k_m")
    o = parser.parse_args()
    contents = np.random.Generator(np.random.PCG64(1)).standard_normal(CONTENTS).astype(np.float32)
    print("| model | plan s | dry run s | its MB | layers | GB | quantize s | MB |\n|---|---|---|---|---|---|---|---|")
    for name in o.names or MODELS:
        config, kept = MODELS[name]
        shutil.rmtree(o.folder, ignore_errors=True)
        whole = write_model(o.folder / "whole", config, None)
        planned, _ = run(o.program, "plan", whole / "config.json", "--to", o.to)
        dry, dry_memory = run(o.program, "quantize", whole, "--to", f"{o.to}={o.folder}/out", "--dry-run", "--memory", o.memory,
                              "--calibrate", o.calibrate, "--quiet")  # fmt: skip
        few = write_model(o.folder / "few", layers_of(config, kept), contents)
        size = (few / "model.safetensors").stat().st_size / 1e9
        took, memory = run(o.program, "quantize", few, "--to", f"{o.to}={o.folder}/out", "--memory", o.memory, "--quiet")
        print(f"| {name} | {planned:.2f} | {dry:.2f} | {dry_memory:.0f} | {len(kept)} | {size:.1f} | {took:.1f} | {memory:.0f} |", flush=True)
        shutil.rmtree(o.folder)


if __name__ == "__main__":
    main()
