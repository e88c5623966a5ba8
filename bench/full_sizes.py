#!/usr/bin/env python3
"""Hybrids and mixtures at the sizes people download: planned whole, and one layer of each kind quantized and run.

    cmake --preset release -DZEROPOINT_BENCH=ON && cmake --build --preset release
    bench/full_sizes.py [--build build/release] [--folder /tmp/zeropoint-full] [--memory 4G] [--tokens 2048] [NAME...]

Weights are synthetic (synthetic.cc), sizes those of published config.json files, the vocabulary of what is written 32,000
with the demo's tokenizer. Prints what `plan` says of the whole model (from its config.json alone, its own vocabulary), what a calibrated run
to gguf:q4_k_m plans within the memory, and for the layers: weights, bytes, seconds, processor seconds and peak memory of that run,
then of `run` with a prompt and 16 tokens. A model so large that a calibrated run takes an hour (UNCALIBRATED) is quantized by mse.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent
TEXT = SOURCE / "models/demo/heldout.txt"
VOCABULARY = 32_000
UNCALIBRATED = ("deepseek-v3",)


def alternating(kinds, layers):
    return [kinds[i % len(kinds)] for i in range(layers)]


QWEN = {
    "hidden_act": "silu", "rms_norm_eps": 1e-6, "head_dim": 256, "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128,
    "linear_value_head_dim": 128, "linear_num_key_heads": 16, "vocab_size": 248_320, "max_position_embeddings": 262_144,
    "tie_word_embeddings": False, "attn_output_gate": True,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1e7, "partial_rotary_factor": 0.25, "mrope_section": [11, 11, 10], "mrope_interleaved": True},
}  # fmt: skip
LINEAR = ("linear_attention", "linear_attention", "linear_attention", "full_attention")
GEMMA = {
    "architectures": ["Gemma4ForCausalLM"], "model_type": "gemma4_text", "hidden_activation": "gelu_pytorch_tanh", "rms_norm_eps": 1e-6,
    "head_dim": 256, "global_head_dim": 512, "vocab_size": 262_144, "vocab_size_per_layer_input": 262_144, "max_position_embeddings": 131_072,
    "final_logit_softcapping": 30.0, "tie_word_embeddings": True, "use_bidirectional_attention": None,
    "rope_parameters": {
        "full_attention": {"partial_rotary_factor": 0.25, "rope_theta": 1e6, "rope_type": "proportional"},
        "sliding_attention": {"rope_theta": 10_000.0, "rope_type": "default"},
    },
}  # fmt: skip
SLIDING = ("sliding_attention",) * 5 + ("full_attention",)
# Whole configs, and what is otherwise in one layer of each kind.
MODELS = {
    "qwen3.8-27b": (
        {
            **QWEN, "architectures": ["Qwen3_5ForCausalLM"], "model_type": "qwen3_5_text", "hidden_size": 5120, "intermediate_size": 17_408,
            "num_hidden_layers": 64, "num_attention_heads": 24, "num_key_value_heads": 4, "linear_num_value_heads": 48, "layer_types": alternating(LINEAR, 64),
        },
        {"num_hidden_layers": 2, "layer_types": ["linear_attention", "full_attention"]},
    ),
    "qwen3.6-35b-a3b": (
        {
            **QWEN, "architectures": ["Qwen3_5MoeForCausalLM"], "model_type": "qwen3_5_moe_text", "hidden_size": 2048, "num_hidden_layers": 40,
            "num_attention_heads": 16, "num_key_value_heads": 2, "linear_num_value_heads": 32, "num_experts": 256, "num_experts_per_tok": 8,
            "moe_intermediate_size": 512, "shared_expert_intermediate_size": 512, "layer_types": alternating(LINEAR, 40),
        },
        {"num_hidden_layers": 2, "layer_types": ["linear_attention", "full_attention"]},
    ),
    "gemma-4-26b-a4b": (
        {
            **GEMMA, "hidden_size": 2816, "intermediate_size": 2112, "num_hidden_layers": 30, "num_attention_heads": 16, "num_key_value_heads": 8,
            "num_global_key_value_heads": 2, "attention_k_eq_v": True, "num_kv_shared_layers": 0, "use_double_wide_mlp": False,
            "hidden_size_per_layer_input": 0, "enable_moe_block": True, "num_experts": 128, "top_k_experts": 8, "moe_intermediate_size": 704,
            "sliding_window": 1024, "layer_types": alternating(SLIDING, 30),
        },
        {"num_hidden_layers": 2, "layer_types": ["sliding_attention", "full_attention"]},
    ),
    "gemma-4-e4b": (
        {
            **GEMMA, "hidden_size": 2560, "intermediate_size": 10_240, "num_hidden_layers": 42, "num_attention_heads": 8, "num_key_value_heads": 2,
            "num_global_key_value_heads": None, "attention_k_eq_v": False, "num_kv_shared_layers": 18, "use_double_wide_mlp": False,
            "hidden_size_per_layer_input": 256, "enable_moe_block": False, "num_experts": None, "top_k_experts": None, "moe_intermediate_size": None,
            "sliding_window": 512, "layer_types": alternating(SLIDING, 42),
        },
        {"num_hidden_layers": 4, "num_kv_shared_layers": 2, "layer_types": ["sliding_attention", "full_attention"] * 2},
    ),
    "lfm2.5-8b-a1b": (
        {
            "architectures": ["Lfm2MoeForCausalLM"], "model_type": "lfm2_moe", "hidden_size": 2048, "intermediate_size": 7168, "norm_eps": 1e-5,
            "num_hidden_layers": 24, "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 65_536, "max_position_embeddings": 128_000,
            "conv_L_cache": 3, "conv_bias": False, "num_experts": 32, "num_experts_per_tok": 4, "moe_intermediate_size": 1792, "num_dense_layers": 2,
            "norm_topk_prob": True, "use_expert_bias": True, "routed_scaling_factor": 1.0, "rope_theta": 1e6, "tie_word_embeddings": True,
            "layer_types": ["full_attention" if i in (2, 6, 10, 14, 18, 21) else "conv" for i in range(24)],
        },
        {"num_hidden_layers": 3, "num_dense_layers": 1, "layer_types": ["conv", "conv", "full_attention"]},
    ),
    "deepseek-v3": (
        {
            "architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "hidden_size": 7168, "intermediate_size": 18_432, "hidden_act": "silu",
            "rms_norm_eps": 1e-6, "num_hidden_layers": 61, "num_attention_heads": 128, "num_key_value_heads": 128, "vocab_size": 129_280,
            "max_position_embeddings": 163_840, "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
            "v_head_dim": 128, "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8, "moe_intermediate_size": 2048,
            "first_k_dense_replace": 3, "moe_layer_freq": 1, "n_group": 8, "topk_group": 4, "topk_method": "noaux_tc", "scoring_func": "sigmoid",
            "norm_topk_prob": True, "routed_scaling_factor": 2.5, "rope_theta": 10_000.0, "tie_word_embeddings": False, "attention_bias": False,
        },
        {"num_hidden_layers": 2, "first_k_dense_replace": 1},
    ),
}  # fmt: skip


def measured(command, **options):
    """What a command prints on standard output, its seconds, processor seconds and peak memory in MiB."""
    begin = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, **options)
    out = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: status {status}")
    return out, time.monotonic() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def written(build, folder, config):
    weights = folder / "model.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    if not weights.exists():
        (folder / "shapes.json").write_text(json.dumps(config))
        measured([build / "bench/synthetic", folder, folder / "shapes.json"])
        (folder / "shapes.json").unlink()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(SOURCE / "models/demo" / name, folder)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(MODELS), metavar="NAME", help=", ".join(MODELS))
    parser.add_argument("--build", default="build/release", type=pathlib.Path)
    parser.add_argument("--folder", default="/tmp/zeropoint-full", type=pathlib.Path)
    parser.add_argument("--memory", default="4G")
    parser.add_argument("--tokens", default=2048, type=int)
    o = parser.parse_args()
    program = o.build.resolve() / "zeropoint"
    for name in o.names:
        config, layers = MODELS[name]
        whole = o.folder / f"{name}.json"
        o.folder.mkdir(parents=True, exist_ok=True)
        whole.write_text(json.dumps(config))
        plan = json.loads(measured([program, "plan", whole, "--to", "gguf:q4_k_m", "--json"])[0])
        print(f"{name}: {plan['parameters'] / 1e9:.2f} G parameters, {plan.get('active_parameters', 0) / 1e9:.2f} G active; "
              f"q4_k_m {plan['outputs'][0]['bytes'] / 1e9:.1f} GB", flush=True)  # fmt: skip
        model = written(o.build, o.folder / name, {**config, **layers, "vocab_size": VOCABULARY,
                                                   **({"vocab_size_per_layer_input": VOCABULARY} if "vocab_size_per_layer_input" in config else {})})  # fmt: skip
        out = o.folder / f"{name}.gguf"
        out.unlink(missing_ok=True)
        calibrated = ["--calibrate", TEXT, "--tokens", o.tokens, "--memory", o.memory]
        quantize = [program, "quantize", model, "--to", f"gguf:q4_k_m={out}", "--json", "--quiet"]
        planned = json.loads(measured([*quantize, *calibrated, "--dry-run"])[0])
        print(f"  planned with a calibration: {planned['memory_bytes'] / 2**20:.0f} MiB of {o.memory}", flush=True)
        some = calibrated if name not in UNCALIBRATED else ["--memory", o.memory]
        _, seconds, processor, peak = measured([*quantize, *some])
        weights = model / "model.safetensors"
        print(f"  {weights.stat().st_size / 2e9:.2f} G weights, {'gptq' if name not in UNCALIBRATED else 'mse'}: {seconds:.0f} s, "
              f"{processor:.0f} s of processors, peak {peak:.0f} MiB; {out.stat().st_size / 1e9:.2f} GB", flush=True)  # fmt: skip
        run = [program, "run", out, "--prompt", TEXT.read_text()[:1200], "--tokens", 16, "--json", "--quiet"]
        said, _, _, peak = measured(run)
        said = json.loads(said)
        print(f"  run: {said['prompt_tokens'] / said['seconds']['prompt']:.1f} tokens/s of a prompt of {said['prompt_tokens']}, "
              f"{15 / said['seconds']['generate']:.2f} tokens/s after it, peak {peak:.0f} MiB", flush=True)  # fmt: skip
        out.unlink()


if __name__ == "__main__":
    main()
