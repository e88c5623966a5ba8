"""What runtimes compute of every field that may differ: the same, or something that was said or refused.

Small random models of every architecture, each with one field away from what is usual, go into every
container; its runtime then computes logits after a short text and after one beyond windows and original
contexts. Where it is further from our engine than FP32 explains, a note must have said so; where it isn't,
nothing may have been said. engine_test.py holds the engine against transformers.

Of every usual model the same in 4 bits: the runtime is as near to our engine with the same file, or rounds what it multiplies;
then it is nearer to that than the file is to the model. Prints a table, which RUNTIMES.md has, too.

    python agreement_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with
    python agreement_test.py PROGRAM SOURCE_DIR --store        writes RUNTIMES.md
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import mlx.core as mx
    import numpy as np
    import onnxruntime_genai as genai
    import xllamacpp  # noqa: F401  (llama.py needs it)
    from mlx_lm.utils import load_model
    from onnx_runtime import Decoder
    from openvino_runtime import Decoder as OpenVinoDecoder
    from openvino_runtime import values_of
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import PROGRAM, SOURCE
from engine_test import bound
from llama import Llama
from make_random_models import random_weights
from random_models import (
    DEEPSEEK_V2,
    DEEPSEEK_V3,
    FALCON_H1,
    GEMMA2,
    GEMMA3,
    GEMMA4,
    GEMMA4_EXPERTS,
    GEMMA4_SHARED,
    GLM4,
    GLM4_MOE,
    GLM4_MOE_LITE,
    GPT2,
    GPT_OSS,
    GRANITE,
    GRANITE_HYBRID,
    HUNYUAN,
    LFM2,
    LFM2_MOE,
    LLAMA,
    MINISTRAL3,
    MISTRAL,
    MISTRAL4,
    MIXTRAL,
    NEMOTRON_H,
    NEMOTRON_H_MOE,
    OLMO2,
    OLMO3,
    PHI,
    PHI3,
    PHIMOE,
    QWEN2,
    QWEN3,
    QWEN3_5,
    QWEN3_5_MOE,
    QWEN3_MOE,
    QWEN3_NEXT,
    SMOLLM3,
    VOCABULARY,
    save_model,
)

mx.set_default_device(mx.cpu)
LOGITS = PROGRAM.parent / "logits"
STORE, STORED = sys.argv[3:] == ["--store"], SOURCE / "RUNTIMES.md"
SHORT, LONG = 10, 48  # tokens: below and beyond the windows and original contexts here
OWN_MODULES = ("gguf", "mlx")  # their runtimes compute by modules of their own; ONNX files hold the graph
FP16_GELU = ("gpt2", "phi", "gemma2", "gemma3_text", "gemma4_text")
# GELU's two forms are nearer than the table's FP16; which scores of groups are below 0 is the weights' affair.
UNDECIDED = (
    "llama.cpp computes GELU", "mlx-lm gives experts of other groups the score 0", "llama.cpp chooses experts from the groups",
)  # fmt: skip
ASIDE = "multi-token prediction"  # of what no runtime computes
ONE_ACTIVATION = "experts of another activation are not written for this runtime"
SINKS = "attention sinks are not written for this runtime"
PARTED = "parted heads are not written for this runtime"
NORMED = "norms of values are not written for this runtime"
CONVOLUTIONS = "short convolutions are not written for this runtime"
EXPERTS = "experts are not written for this runtime"
OF_TOKENS = "tokenizer"  # in notes that are of texts and their ids, which other tests hold
TEXT = 256  # ids below are text; llama.cpp's server tells no other token's probability


def rope(kind, **fields):
    return {"rope_scaling": {"rope_type": kind, **fields}}


def longrope(dims, original, **fields):
    pairs = [i / dims for i in range(dims // 2)]
    shorter, longer = [1 + p for p in pairs], [1 + 8 * p for p in pairs]
    same = fields.pop("same", False)
    factors = {"short_factor": longer if same else shorter, "long_factor": longer}
    return {"original_max_position_embeddings": original, **rope("longrope", **factors, **fields)}


LINEAR = rope("linear", factor=4.0)
LLAMA3 = rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
YARN = {"factor": 4.0, "original_max_position_embeddings": 32}
ACTIVATIONS = {"gelu": {"hidden_act": "gelu"}, "gelu_tanh": {"hidden_act": "gelu_pytorch_tanh"}}
SCALINGS = {
    "default": rope("default"),
    "linear": LINEAR,
    "llama3": LLAMA3,
    "yarn": rope("yarn", **YARN),
    "yarn_old": {"rope_scaling": {"type": "yarn", **YARN}},
    "yarn_new": {"rope_theta": None, "rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, **YARN}},
    "yarn_factor": rope("yarn", **YARN, attention_factor=1.4),
    "yarn_factor_1": rope("yarn", **YARN, attention_factor=1.0),
    "yarn_mscale": rope("yarn", **YARN, mscale=0.7),
    "yarn_mscales": rope("yarn", **YARN, mscale=0.7, mscale_all_dim=1.3),
    "yarn_betas": rope("yarn", **YARN, beta_fast=8, beta_slow=2),
    "yarn_short": rope("yarn", factor=0.5, original_max_position_embeddings=512, attention_factor=1.2),
}
LLAMA_LIKE = {"theta": {"rope_theta": 300.0}, "epsilon": {"rms_norm_eps": 0.1}, "tied": {"tie_word_embeddings": True}}
LLAMA_LIKE |= {"ungrouped": {"num_key_value_heads": 4}, **ACTIVATIONS}
# Of each kind one, where another architecture's module has the same code for all.
KINDS = {name: SCALINGS[name] for name in ("default", "linear", "llama3", "yarn_factor")}


def longropes(dims):
    return {
        "longrope_long": longrope(dims, 32),
        "longrope_short": longrope(dims, 256),
        "longrope_never_long": longrope(dims, 512),
        "longrope_one_set": longrope(dims, 32, same=True),
        "longrope_factor": longrope(dims, 32, attention_factor=1.4),
        "longrope_sizes": longrope(dims, 32, factor=2.0),
    }


def alpha(**fields):
    return {"rope_scaling": {"type": "dynamic", "alpha": 50.0, "factor": 1.0, "beta_fast": 32, "beta_slow": 1, **fields}}


def yarn_field(**fields):
    return {"rope_scaling": {**GPT_OSS["rope_scaling"], **fields}}


def yarn_of(**fields):
    return {"rope_parameters": {**MINISTRAL3["rope_parameters"], **fields}}


def qwen_windows(layers):
    return {"use_sliding_window": True, "sliding_window": 20, "max_window_layers": layers}


WINDOWS = {"window_all": qwen_windows(0), "window_some": qwen_windows(1), "window_none": qwen_windows(2)}
# The words of Phi's first release.
MSFT_WORDS = {
    "hidden_size": None, "n_embd": 64, "num_hidden_layers": None, "n_layer": 2, "num_attention_heads": None, "n_head": 4,
    "intermediate_size": None, "n_inner": 96, "max_position_embeddings": None, "n_positions": 512,
    "layer_norm_eps": None, "layer_norm_epsilon": 0.1, "num_key_value_heads": None,
}  # fmt: skip
MSCALES = {"short_mscale": 1.24, "long_mscale": 1.24}
# Architecture -> containers whose runtime computes something else of every model.
SAID = {"phimoe": ("gguf",), "deepseek_v3": ("mlx",)}
# And those that are refused it.
UNWRITTEN = dict.fromkeys(("qwen3_moe", "mixtral", "glm4_moe", "phimoe"), ("openvino",))
UNWRITTEN |= dict.fromkeys(("deepseek_v2", "deepseek_v3", "glm4_moe_lite", "granitemoehybrid"), ("onnx", "genai", "openvino"))
UNWRITTEN |= dict.fromkeys(("gpt_oss", "lfm2", "lfm2_moe"), ("onnx", "genai", "openvino"))
UNWRITTEN |= dict.fromkeys(("qwen3_5_text", "qwen3_5_moe_text", "qwen3_next"), ("onnx", "genai", "openvino"))
UNWRITTEN |= dict.fromkeys(("gemma4_text", "falcon_h1", "nemotron_h", "mistral4"), ("onnx", "genai", "openvino"))
# Of experts that a token goes through.
NUMBERS = {"one_expert": {"num_experts_per_tok": 1}, "all_experts": {"num_experts_per_tok": 6}}
SLIDING, FULL, LINEAR_ATTENTION = "sliding_attention", "full_attention", "linear_attention"


def rope_kinds(theta, local_theta, **scaling):
    kinds = {FULL: {"rope_type": "default", "rope_theta": theta, **scaling}}
    kinds[SLIDING] = {"rope_type": "default", "rope_theta": local_theta}
    return {"rope_theta": None, "rope_local_base_freq": None, "rope_parameters": kinds}


def turned(**fields):
    """Of Qwen3.5's rotary embedding; None takes a field out."""
    both = {**QWEN3_5["rope_parameters"], **fields}
    return {"rope_parameters": {key: value for key, value in both.items() if value is not None}}


def yarn4(**fields):
    return {"rope_parameters": {**MISTRAL4["rope_parameters"], **fields}}


def turned4(kind, **fields):
    """Of one kind of Gemma 4's layers."""
    kinds = GEMMA4["rope_parameters"]
    return {"rope_parameters": {**kinds, kind: {**kinds[kind], **fields}}}


# Architecture -> config, and name -> fields that change; None takes a field out.
VARIANTS = {
    "llama": (LLAMA, {
        **LLAMA_LIKE, **SCALINGS, **longropes(16), "biases": {"attention_bias": True, "mlp_bias": True},
        "head": {"head_dim": 32}, "no_model_type": {"model_type": None},
    }),
    "mistral": (MISTRAL, {
        "no_window": {"sliding_window": "null"}, "window": {"sliding_window": 20},
        "window_context": {"sliding_window": 512},
    }),
    "qwen2": (QWEN2, {
        **LLAMA_LIKE, **KINDS, **WINDOWS, "longrope": longrope(16, 32), "head": {"head_dim": 32},
    }),
    "qwen3": (QWEN3, {
        "tied": {"tie_word_embeddings": True}, **ACTIVATIONS, **KINDS, **WINDOWS, "longrope": longrope(32, 32),
        "head": {"head_dim": 16},
    }),
    "qwen3_moe": (QWEN3_MOE, {
        **NUMBERS, "not_renormalized": {"norm_topk_prob": False}, "no_norm": {"norm_topk_prob": None},
        "dense_layer": {"mlp_only_layers": [0]}, "sparse_step": {"decoder_sparse_step": 2},
        "window": {"use_sliding_window": True, "sliding_window": 20}, "ffn": {"moe_intermediate_size": 64},
        "tied": {"tie_word_embeddings": True},
    }),
    "mixtral": (MIXTRAL, {
        **LLAMA_LIKE, **NUMBERS, **KINDS, "longrope": longrope(16, 32), "window": {"sliding_window": 20},
        "no_theta": {"rope_theta": None}, "no_epsilon": {"rms_norm_eps": None}, "head": {"head_dim": 32},
    }),
    "glm4": (GLM4, {
        **{name: LLAMA_LIKE[name] for name in ("theta", "epsilon", "ungrouped")}, **ACTIVATIONS, **KINDS,
        "no_biases": {"attention_bias": False}, "whole": {"partial_rotary_factor": 1.0},
        "no_share": {"partial_rotary_factor": None},
        "new": {
            "partial_rotary_factor": None, "rope_theta": None,
            "rope_parameters": {"rope_type": "default", "rope_theta": 300.0, "partial_rotary_factor": 0.25},
        },
    }),
    "hunyuan": (HUNYUAN, {
        **LLAMA_LIKE, **KINDS, "longrope": longrope(32, 32), "head": {"head_dim": 16}, "alpha": alpha(),
        "alpha_new": {"rope_theta": None, "rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4, "alpha": 50.0}},
    }),
    "ministral3": (MINISTRAL3, {
        "tied": {"tie_word_embeddings": True}, "ungrouped": {"num_key_value_heads": 4}, **ACTIVATIONS,
        "epsilon": {"rms_norm_eps": 0.1}, "theta": yarn_of(rope_theta=300.0), "betas": yarn_of(beta_fast=8, beta_slow=2),
        "mscales": yarn_of(mscale=0.7, mscale_all_dim=1.3), "beta": yarn_of(llama_4_scaling_beta=0.5),
        "length": yarn_of(original_max_position_embeddings=32),
    }),
    "glm4_moe": (GLM4_MOE, {
        **LLAMA_LIKE, **NUMBERS, **KINDS, "head_norms": {"use_qk_norm": True}, "no_biases": {"attention_bias": False},
        "no_share": {"partial_rotary_factor": None}, "whole": {"partial_rotary_factor": 1.0},
        "groups": {"n_group": 4, "topk_group": 2}, "not_renormalized": {"norm_topk_prob": False},
        "no_norm": {"norm_topk_prob": None}, "scale": {"routed_scaling_factor": 2.5},
        "no_scale": {"routed_scaling_factor": None}, "dense_layers": {"first_k_dense_replace": 2},
        "no_dense_layer": {"first_k_dense_replace": 0}, "no_dense_field": {"first_k_dense_replace": None},
        "shared": {"n_shared_experts": 2}, "no_shared_field": {"n_shared_experts": None},
        "nothing_beyond": {"num_nextn_predict_layers": 0},
    }),
    # llama.cpp knows those whose queries come of the input by their 26 or 27 layers.
    "deepseek_v2": ({**DEEPSEEK_V2, "q_lora_rank": 48}, {
        **NUMBERS, "tied": {"tie_word_embeddings": True}, "theta": {"rope_theta": 300.0}, "epsilon": {"rms_norm_eps": 0.1},
        "no_rope": {"rope_scaling": None}, "biases": {"attention_bias": True},
        "values": {"v_head_dim": 16}, "no_dense_layer": {"first_k_dense_replace": 0}, "scale": {"routed_scaling_factor": 16.0},
        "ratio": {"rope_scaling": {**DEEPSEEK_V2["rope_scaling"], "mscale": 1.0}},
        "unsharpened": {"rope_scaling": {key: value for key, value in DEEPSEEK_V2["rope_scaling"].items() if "mscale" not in key}},
        "groups": {"n_group": 4, "topk_group": 2, "topk_method": "group_limited_greedy"},
    }),
    "deepseek_v3": (DEEPSEEK_V3, {
        **NUMBERS, "all_experts": {"num_experts_per_tok": 6, "topk_group": 4}, "epsilon": {"rms_norm_eps": 0.1},
        "no_groups": {"n_group": 1, "topk_group": 1},
        "yarn": {"rope_scaling": {**DEEPSEEK_V2["rope_scaling"], "mscale": 1.0, "mscale_all_dim": 1.0}},
        "not_renormalized": {"norm_topk_prob": False}, "biases": {"attention_bias": True}, "heads": {"num_attention_heads": 2, "num_key_value_heads": 2},
    }),
    "glm4_moe_lite": (GLM4_MOE_LITE, {
        "epsilon": {"rms_norm_eps": 0.1}, "dense_layers": {"mlp_layer_types": ["dense", "sparse"]}, "values": {"v_head_dim": 24},
    }),
    "mistral4": (MISTRAL4, {
        **NUMBERS, "epsilon": {"rms_norm_eps": 0.1}, "tied": {"tie_word_embeddings": True}, "dense_layers": {"first_k_dense_replace": 1},
        "no_dense_field": {"first_k_dense_replace": None}, "biases": {"attention_bias": True},
        "not_renormalized": {"norm_topk_prob": False}, "scale": {"routed_scaling_factor": 2.5}, "shared": {"n_shared_experts": 2},
        "beta": yarn4(llama_4_scaling_beta=0.5), "length": yarn4(original_max_position_embeddings=16), "theta": yarn4(rope_theta=300.0),
        "betas": yarn4(beta_fast=8.0),
    }),
    "lfm2": (LFM2, {
        "theta": {"rope_theta": 300.0}, "epsilon": {"norm_eps": 0.1}, "untied": {"tie_word_embeddings": False},
        "linear": LINEAR, "yarn_factor": SCALINGS["yarn_factor"], "kernel": {"conv_L_cache": 5}, "biases": {"conv_bias": True},
        "not_adjusted": {"block_auto_adjust_ff_dim": False}, "no_adjustment": {"block_auto_adjust_ff_dim": None},
        "old": {
            "intermediate_size": None, "block_ff_dim": 120, "layer_types": None, "full_attn_idxs": [1, 3],
            "tie_word_embeddings": None, "tie_embedding": True,
        },
    }),
    "lfm2_moe": (LFM2_MOE, {
        "scale": {"routed_scaling_factor": 2.5}, "not_renormalized": {"norm_topk_prob": False},
        "no_dense_layer": {"num_dense_layers": 0},
    }),
    "qwen3_5": (QWEN3_5, {
        "theta": turned(rope_theta=300.0), "partial": turned(partial_rotary_factor=0.5), "whole": turned(partial_rotary_factor=1.0),
        "default_part": turned(partial_rotary_factor=None), "no_sections": turned(mrope_section=None),
        "yarn": turned(rope_type="yarn", **YARN), "old": {"rope_parameters": None, "rope_theta": 300.0},
        "epsilon": {"rms_norm_eps": 0.1}, "no_epsilon": {"rms_norm_eps": None}, "tied": {"tie_word_embeddings": True},
        "kernel": {"linear_conv_kernel_dim": 3}, "even_heads": {"linear_num_key_heads": 6}, "one_key": {"linear_num_key_heads": 1},
        "narrow_keys": {"linear_key_head_dim": 8}, "no_types": {"layer_types": None}, "irregular": {"layer_types": [FULL, LINEAR_ATTENTION, LINEAR_ATTENTION]},
        "other_types": {"layer_types": [LINEAR_ATTENTION, LINEAR_ATTENTION, FULL]},
    }),
    "qwen3_5_moe": (QWEN3_5_MOE, {**NUMBERS, "shared": {"shared_expert_intermediate_size": 32}}),
    "qwen3_next": (QWEN3_NEXT, {
        "theta": {"rope_theta": 300.0}, "epsilon": {"rms_norm_eps": 0.1}, "partial": {"partial_rotary_factor": 0.5},
        "default_part": {"partial_rotary_factor": None}, "tied": {"tie_word_embeddings": True}, **NUMBERS,
        "not_renormalized": {"norm_topk_prob": False}, "no_renormalization": {"norm_topk_prob": None},
        "mixed": {"mlp_only_layers": [1]}, "sparse": {"decoder_sparse_step": 2}, "even_heads": {"linear_num_key_heads": 6},
        "no_types": {"layer_types": None},
    }),
    "phimoe": (PHIMOE, {
        "theta": {"rope_theta": 300.0}, "epsilon": {"rms_norm_eps": 0.1}, "no_theta": {"rope_theta": None},
        "ungrouped": {"num_key_value_heads": 4}, **ACTIVATIONS, "no_epsilon": {"rms_norm_eps": None},
        "noise": {"router_jitter_noise": 0.01}, "no_noise": {"router_jitter_noise": None},
        "no_biases": {"attention_bias": False, "lm_head_bias": False}, "no_head_bias": {"lm_head_bias": False},
        "window": {"sliding_window": 20}, "head": {"head_dim": 32},
        "longrope": longrope(16, 32, **MSCALES), "longrope_short": longrope(16, 256, **MSCALES),
        "longrope_one_set": longrope(16, 32, same=True, **MSCALES),
        "longrope_mscales": longrope(16, 32, same=True, short_mscale=1.1, long_mscale=1.4),
    }),
    "gpt_oss": (GPT_OSS, {
        "epsilon": {"rms_norm_eps": 0.1}, "no_epsilon": {"rms_norm_eps": None}, "theta": {"rope_theta": 300.0},
        "ungrouped": {"num_key_value_heads": 4}, "head": {"head_dim": 16}, **NUMBERS, "limit": {"swiglu_limit": 3.0},
        "no_limit": {"swiglu_limit": None}, "window": {"sliding_window": 20}, "no_window": {"sliding_window": None},
        "turned": {"layer_types": [FULL, SLIDING]}, "no_types": {"layer_types": None}, "all_windows": {"layer_types": [SLIDING] * 2},
        "no_windows": {"layer_types": [FULL] * 2}, "ramp": yarn_field(truncate=False), "betas": yarn_field(beta_fast=8.0),
        "factor": yarn_field(attention_factor=1.4), "no_rope": {"rope_scaling": None},
        "new": {"rope_scaling": None, "rope_theta": None, "rope_parameters": {**GPT_OSS["rope_scaling"], "rope_theta": 300.0}},
    }),
    "phi3": (PHI3, {
        **LLAMA_LIKE, "default": rope("default"), **longropes(16), "window": {"sliding_window": 20},
        "no_epsilon": {"rms_norm_eps": None}, "partial": {"partial_rotary_factor": 0.5},
        "longrope_partial": {"partial_rotary_factor": 0.5, **longrope(8, 32)},
    }),
    "phi": (PHI, {
        **ACTIVATIONS, "silu": {"hidden_act": "silu"}, **KINDS, "longrope": longrope(8, 32),
        "no_share": {"partial_rotary_factor": None}, "whole": {"partial_rotary_factor": 1.0},
        "whole_new": {
            "partial_rotary_factor": None, "rope_theta": None,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 1.0},
        },
        "grouped": {"num_key_value_heads": 2}, "epsilon": {"layer_norm_eps": 0.1}, "no_epsilon": {"layer_norm_eps": None},
        "msft": {"model_type": "phi-msft"}, "msft_words": MSFT_WORDS,
    }),
    "gemma2": ({**GEMMA2, "num_hidden_layers": 2, "sliding_window": 512}, {
        "untied": {"tie_word_embeddings": False},
        "window": {"sliding_window": 20}, "silu": {"hidden_activation": "silu"}, "gelu": {"hidden_activation": "gelu"},
        "no_caps": {"attn_logit_softcapping": "null", "final_logit_softcapping": "null"},
        "no_attention_cap": {"attn_logit_softcapping": "null"}, "no_logit_cap": {"final_logit_softcapping": "null"},
        "usual_caps": {"attn_logit_softcapping": None, "final_logit_softcapping": None},
        "scalar": {"query_pre_attn_scalar": 100}, "no_scalar": {"query_pre_attn_scalar": None},
        "epsilon": {"rms_norm_eps": 0.1}, "no_epsilon": {"rms_norm_eps": None}, "theta": {"rope_theta": 300.0},
    }),
    "gemma3": (GEMMA3, {
        "untied": {"tie_word_embeddings": False}, "silu": {"hidden_activation": "silu"}, "gelu": {"hidden_activation": "gelu"},
        "window": {"sliding_window": 512}, "pattern": {"sliding_window_pattern": 3},
        "turns": {"layer_types": [*[SLIDING] * 5, FULL, SLIDING]},
        "no_turns": {"layer_types": [FULL, *[SLIDING] * 5, FULL]}, "no_windows": {"layer_types": [FULL] * 7},
        "scalar": {"query_pre_attn_scalar": 100}, "no_scalar": {"query_pre_attn_scalar": None},
        "theta": {"rope_theta": 300.0}, "local_theta": {"rope_local_base_freq": 300.0}, "no_thetas": {"rope_theta": None, "rope_local_base_freq": None},
        "linear": {"rope_scaling": {"rope_type": "linear", "factor": 8.0}}, "yarn": SCALINGS["yarn_factor"], "llama3": LLAMA3,
        "new": rope_kinds(3e5, 1e4), "linear_new": rope_kinds(1e6, 300.0, rope_type="linear", factor=8.0),
        "epsilon": {"rms_norm_eps": 0.1}, "no_epsilon": {"rms_norm_eps": None}, "hidden": {"hidden_size": 80},
    }),
    "gemma4": (GEMMA4, {
        "untied": {"tie_word_embeddings": False}, "silu": {"hidden_activation": "silu"}, "window": {"sliding_window": 512},
        "no_windows": {"layer_types": [FULL] * 5},
        "values": {"attention_k_eq_v": False}, "heads": {"num_global_key_value_heads": 2},
        "no_cap": {"final_logit_softcapping": "null"}, "epsilon": {"rms_norm_eps": 0.1}, "no_epsilon": {"rms_norm_eps": None},
        "theta": turned4(FULL, rope_theta=300.0), "local_theta": turned4(SLIDING, rope_theta=300.0),
        "share": turned4(FULL, partial_rotary_factor=0.5), "whole": turned4(FULL, partial_rotary_factor=1.0), "no_ropes": {"rope_parameters": None},
    }),
    "gemma4_shared": (GEMMA4_SHARED, {
        "narrow": {"use_double_wide_mlp": False}, "fewer": {"num_kv_shared_layers": 2}, "odd": {"num_kv_shared_layers": 3},
        "none": {"num_kv_shared_layers": 0}, "rows": {"vocab_size_per_layer_input": VOCABULARY + 8},
    }),
    "gemma4_experts": (GEMMA4_EXPERTS, {
        "one_expert": {"top_k_experts": 1}, "all_experts": {"top_k_experts": 6}, "width": {"moe_intermediate_size": 64},
    }),
    "smollm3": (SMOLLM3, {
        **LLAMA_LIKE, **ACTIVATIONS, **KINDS, "longrope": longrope(16, 32), "biases": {"attention_bias": True, "mlp_bias": True},
        "listed": {"no_rope_layers": [1, 1, 1, 0]}, "interval": {"no_rope_layer_interval": 2},
        "all": {"no_rope_layers": [1, 1, 1, 1]}, "others": {"no_rope_layers": [0, 1, 1, 1]}, "head": {"head_dim": 32},
        "no_epsilon": {"rms_norm_eps": None}, "no_theta": {"rope_theta": None},
    }),
    "granite_hybrid": (GRANITE_HYBRID, {
        "epsilon": {"rms_norm_eps": 0.1}, "tied": {"tie_word_embeddings": True}, "turned": {"position_embedding_type": "rope"},
        "theta": {"position_embedding_type": "rope", "rope_theta": 300.0}, "no_positions": {"position_embedding_type": None},
        "kernel": {"mamba_d_conv": 3}, "no_conv_bias": {"mamba_conv_bias": False}, "groups": {"mamba_n_groups": 2},
        "steps": {"time_step_limit": [0.1, 2.0]}, "heads": {"mamba_n_heads": 4, "mamba_d_head": 32}, "auto": {"mamba_d_head": "auto"},
        "state": {"mamba_d_state": 20}, "biases": {"attention_bias": True},
        "new_words": {"layer_types": ["linear_attention", "full_attention", "linear_attention"]},
        "experts": {"num_local_experts": 6, "num_experts_per_tok": 2, "intermediate_size": 32},
    }),
    "falcon_h1": (FALCON_H1, {
        "epsilon": {"rms_norm_eps": 0.1}, "tied": {"tie_word_embeddings": True}, "theta": {"rope_theta": 300.0}, "head": {"head_dim": 16},
        "kernel": {"mamba_d_conv": 3}, "no_conv_bias": {"mamba_conv_bias": False}, "groups": {"mamba_n_groups": 2},
        "steps": {"time_step_limit": [0.1, 2.0]}, "state": {"mamba_d_state": 20},
        "normed": {"mamba_rms_norm": True}, "normed_groups": {"mamba_rms_norm": True, "mamba_n_groups": 2},
        "fewer_multipliers": {"key_multiplier": None, "ssm_in_multiplier": None, "mlp_multipliers": None},
    }),
    "nemotron_h": (NEMOTRON_H, {
        "epsilon": {"layer_norm_epsilon": 0.1}, "tied": {"tie_word_embeddings": True}, "head": {"head_dim": 16}, "kernel": {"conv_kernel": 3},
        "no_conv_bias": {"use_conv_bias": False}, "steps": {"time_step_limit": [0.1, 2.0]}, "one_group": {"n_groups": 1},
        "state": {"ssm_state_size": 20}, "silu": {"mlp_hidden_act": "silu"}, "other_layers": {"hybrid_override_pattern": "*M-M"},
        "listed": {"hybrid_override_pattern": None, "layers_block_type": ["mamba", "mlp", "attention", "mamba"]},
    }),
    "nemotron_h_moe": (NEMOTRON_H_MOE, {
        **NUMBERS, "not_renormalized": {"norm_topk_prob": False}, "scale": {"routed_scaling_factor": 1.0}, "mixed": {"hybrid_override_pattern": "ME-*E"},
        "groups": {"n_group": 4, "topk_group": 2}, "latent": {"moe_latent_size": 40},
    }),
    "granite": (GRANITE, {
        **LLAMA_LIKE, **SCALINGS, **longropes(16), "biases": {"attention_bias": True, "mlp_bias": True}, "head": {"head_dim": 32},
        "no_tie": {"tie_word_embeddings": None}, "no_epsilon": {"rms_norm_eps": None},
        "no_multipliers": {
            "embedding_multiplier": None, "attention_multiplier": None, "residual_multiplier": None, "logits_scaling": None,
        },
    }),
    "olmo2": (OLMO2, {
        "epsilon": {"rms_norm_eps": 0.1}, "no_epsilon": {"rms_norm_eps": None}, "theta": {"rope_theta": 300.0},
        "ungrouped": {"num_key_value_heads": 4}, "silu": {"hidden_act": None}, "gelu": {"hidden_act": "gelu"}, **KINDS,
        "longrope": longrope(16, 32), "head": {"head_dim": 32}, "no_tie": {"tie_word_embeddings": None},
    }),
    "olmo3": (OLMO3, {
        "window": {"sliding_window": 512}, "turns": {"layer_types": [*[SLIDING] * 3, FULL, SLIDING]},
        "no_turns": {"layer_types": [FULL, *[SLIDING] * 4]}, "theta": rope_kinds(300.0, 300.0), "thetas": rope_kinds(300.0, 1e4),
        "yarn": rope_kinds(1e4, 1e4, **SCALINGS["yarn_factor"]["rope_scaling"]),
        "linear": rope_kinds(1e4, 1e4, rope_type="linear", factor=4.0),
        "old": {"rope_parameters": None, "rope_theta": 500000.0, **SCALINGS["yarn"]}, "no_theta": {"rope_parameters": None},
        "head": {"head_dim": 32},
    }),
    "gpt2": (GPT2, {
        "untied": {"tie_word_embeddings": False}, "ffn": {"n_inner": 160}, "same_ffn": {"n_inner": 256},
        "gelu": {"activation_function": "gelu"}, "silu": {"activation_function": "silu"},
        "epsilon": {"layer_norm_epsilon": 0.1}, "no_epsilon": {"layer_norm_epsilon": None},
        "no_model_type": {"model_type": None},
    }),
}  # fmt: skip
DRAW = np.random.Generator(np.random.PCG64(3))
TEXTS = [DRAW.integers(0, TEXT, size=length).tolist() for length in (SHORT, LONG)]


def changed(config, fields):
    merged = {**config, **fields}
    return {key: None if value == "null" else value for key, value in merged.items() if value is not None}


def log_softmax(logits):
    logits = np.asarray(logits, np.float64)
    rest = logits - logits.max()
    return rest - np.log(np.exp(rest).sum())


def engine(folder, texts):
    lines = "\n".join(" ".join(map(str, ids)) for ids in texts)
    run = subprocess.run([LOGITS, folder, "0", "1"], input=lines.encode(), capture_output=True, check=True)
    rows = np.frombuffer(run.stdout, np.float32).reshape(-1, VOCABULARY)
    return [rows[end - 1] for end in np.cumsum([len(ids) for ids in texts])]


def llama_cpp(path, texts):
    llama = Llama(path)
    answers = [llama.logarithms_of_probabilities(ids, VOCABULARY) for ids in texts]
    return [[answer[id] for id in range(VOCABULARY)] for answer in answers]


def mlx_lm(path, texts):
    model, _ = load_model(path)
    return [np.array(model(mx.array([ids]))[0, -1]) for ids in texts]


def onnx_runtime(path, texts):
    decoder = Decoder(path)
    return [decoder.step(np.array([ids]), decoder.empty_cache())[0][0, -1] for ids in texts]


def onnx_genai(path, texts):
    model, rows = genai.Model(str(path)), []
    for ids in texts:
        parameters = genai.GeneratorParams(model)
        parameters.set_search_options(max_length=len(ids) + 1)
        generator = genai.Generator(model, parameters)
        generator.append_tokens(np.array(ids, np.int32))
        rows.append(np.array(generator.get_logits())[0, -1])
    return rows


def gelu_table_bound(config, size):
    """llama.cpp looks GELU up at arguments and for values in FP16: two roundings by 2^-11 of what an MLP's last
    matrix reads. They are independent, so what it gives errs by as much of its size, in each layer."""
    layers = config.get("num_hidden_layers") or config["n_layer"]
    return 2 * 2.0**-11 * size * layers**0.5


def openvino(path, texts):
    decoder, rows = OpenVinoDecoder(path), []
    for ids in texts:
        decoder.start()
        rows.append(decoder.step(np.array([ids]))[0, -1])
    return rows


FOUR_BITS = {"gguf": "q4_0", "mlx": "int4:g32", "onnx": "int4:g32", "genai": "int4:g32", "openvino": "int4:g32", "hf": "int4:g32"}
RUNTIMES = {"gguf": llama_cpp, "mlx": mlx_lm, "onnx": onnx_runtime, "genai": onnx_genai, "openvino": openvino, "hf": engine}


def make_variant(folder, sizes, config):
    weights = random_weights(sizes, seed=1)
    for name in ("model.embed_tokens.weight", "transformer.wte.weight", "lm_head.weight", "lm_head.bias"):
        if name in weights:
            weights[name][TEXT:] = 0
    return save_model(folder, config, weights)


def write_sizes(folder, sizes):
    """A folder for `bound` to read, in the usual words."""
    (folder / "config.json").write_text(json.dumps(sizes))
    return folder


def fill(tokenizer, count):
    """Gives the tokenizer tokens up to `count`."""
    end = tokenizer["added_tokens"][0]
    rows = {f"<row {id}>": id for id in range(TEXT + 1, count)}
    tokenizer["model"]["vocab"] |= {end["content"]: end["id"], **rows}


def quantize(model, target, path):
    """Notes on what is computed, or what refused it."""
    command = [PROGRAM, "quantize", model, "--to", f"{target}={path}", "--json", "--quiet"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode == 1:
        return None, run.stderr.strip()
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    notes = result["notes"] + result["outputs"][0]["notes"]
    return [note for note in notes if OF_TOKENS not in note and ASIDE not in note], ""


def distance(found, expected):
    """Of logarithms of probabilities."""
    return max(np.abs(log_softmax(f) - log_softmax(e))[:TEXT].max() for f, e in zip(found, expected))


class Table:
    """Of every usual model what came of it in every container: words, and in notes below what was said."""

    def __init__(self):
        self.rows = {}
        self.notes = []

    def add(self, family, outcome, lines):
        for line in lines:
            if line not in self.notes:
                self.notes.append(line)
        numbers = ", ".join(str(self.notes.index(line) + 1) for line in lines)
        self.rows.setdefault(family, []).append(outcome + (f" ({numbers})" if numbers else ""))

    def text(self):
        heads = [f"{container} {grid}" for container, four in FOUR_BITS.items() for grid in ("fp32", four)]
        lines = [
            "# What runtimes compute", "",
            "The answers of each runtime beside those of our own engine, which is held against transformers: for a small random model of",
            "every family, from a short text and one beyond windows. Written by tests/consumers/agreement_test.py.", "",
            "- the same: as near as sums in FP32 are",
            "- rounded: the runtime rounds what it multiplies by codes; it is nearer to our answer than the file's is to the model's",
            "- said: it computes something else, and the program said so",
            "- refused: in one line, before anything is written", "",
            "hf is what is read back. openvino, whose grid is int4:g128 where none is given, computes in FP32, as its options make it.", "",
            "| family | " + " | ".join(heads) + " |",
            "|---" * (len(heads) + 1) + "|",
        ]  # fmt: skip
        lines += [f"| {family} | " + " | ".join(cells) + " |" for family, cells in self.rows.items()]
        lines += ["", *[f"{number}. {note}" for number, note in enumerate(self.notes, 1)], ""]
        return "\n".join(lines)


def reason(why):
    """Of a refusal, without the tensor it began with."""
    return why.split(": ", 2)[-1] if ", tensor " in why else why


class AgreementTest(unittest.TestCase):
    def check(self, model, path, container, expected, limit):
        """Returns what came of it, in a word, and what was said."""
        notes, why = quantize(model, f"{container}:fp32", path)
        if notes is None:
            self.assertEqual(why.count("\n"), 0, why)
            known = any(words in why for words in (ONE_ACTIVATION, SINKS, CONVOLUTIONS, PARTED, NORMED, EXPERTS))
            self.assertTrue(container in OWN_MODULES or known, why)
            return "refused", [reason(why)]
        off = distance(RUNTIMES[container](path, TEXTS), expected)
        if not notes:
            self.assertLess(off, limit, "nothing was said")
            return "the same", []
        if not any(note.startswith(UNDECIDED) for note in notes):
            self.assertGreater(off, limit, f"a false alarm: {notes}")
        return "said", notes

    def check_four_bits(self, model, path, container, expected, limit):
        """The same of that grid, beside the engine with the same file."""
        notes, why = quantize(model, f"{container}:{FOUR_BITS[container]}", path)
        if notes is None:
            self.assertEqual(why.count("\n"), 0, why)
            return "refused", [reason(why)]
        # What isn't read back is known by its values.
        own = engine(values_of(path, model) if container == "openvino" else path, TEXTS)
        off = distance(RUNTIMES[container](path, TEXTS), own)
        if notes:
            if not any(note.startswith(UNDECIDED) for note in notes):
                self.assertGreater(off, limit, f"a false alarm: {notes}")
            return "said", notes
        if off < limit:
            return "the same", []
        self.assertLess(off, distance(own, expected))
        return "rounded", []

    def check_variant(self, name, base, fields, counts, table):
        sizes = {**base, **{key: value for key, value in fields.items() if value not in (None, "null")}}
        sizes["model_type"] = base["model_type"]
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            model = make_variant(folder / "model", sizes, changed(base, fields))
            expected = engine(model, TEXTS)
            size = max(np.abs(row).max() for row in expected)
            # A probability's logarithm is a logit less a mean of them.
            limit = 2 * bound(write_sizes(folder, sizes), LONG, size)
            for container in RUNTIMES:
                with self.subTest(model=name, container=container):
                    of_table = container == "gguf" and base["model_type"] in FP16_GELU
                    more = 2 * gelu_table_bound(sizes, size) if of_table else 0
                    outcome, said = self.check(model, folder / container, container, expected, limit + more)
                    usual = "said" if container in SAID.get(base["model_type"], ()) else "the same"
                    if container in UNWRITTEN.get(base["model_type"], ()):
                        usual = "refused"
                    self.assertTrue(fields or outcome == usual, f"{outcome}, of a usual model")
                    counts[container, outcome] = counts.get((container, outcome), 0) + 1
                    if not fields:
                        family, path = name.split()[0], folder / f"{container}-4"
                        table.add(family, outcome, said)
                        table.add(family, *self.check_four_bits(model, path, container, expected, limit))

    def test_every_field(self):
        counts, table = {}, Table()
        for architecture, (base, variants) in VARIANTS.items():
            for name, fields in {"usual": {}, **variants}.items():
                self.check_variant(f"{architecture} {name}", base, fields, counts, table)
        for (container, outcome), count in sorted(counts.items()):
            print(f"{container:6} {outcome:9} {count}")
        print(table.text())
        if STORE:
            STORED.write_text(table.text())
        self.assertEqual(table.text(), STORED.read_text(), "RUNTIMES.md says something else: --store writes it")

    def outcomes(self, change):
        """Of a model whose tokenizer.json is changed: every container's notes and refusals."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            model = make_variant(folder / "model", LLAMA, {**LLAMA, "pad_token_id": VOCABULARY})
            made = json.loads((model / "tokenizer.json").read_text())
            change(made)
            (model / "tokenizer.json").write_text(json.dumps(made))
            expected = engine(model, TEXTS)
            for container, runtime in RUNTIMES.items():
                notes, why = quantize(model, f"{container}:fp32", folder / container)
                if notes is not None:
                    for row, wanted in zip(runtime(folder / container, TEXTS), expected):
                        off = np.abs(log_softmax(row) - log_softmax(wanted))[:TEXT].max()
                        self.assertLess(off, 2 * bound(model, LONG, np.abs(wanted).max()))
                yield container, notes, why

    def test_added_tokens_without_rows_are_said_by_every_container(self):
        def change(made):
            flags = made["added_tokens"][0]
            for id, text in enumerate(("<|pad|>", "<|more|>"), VOCABULARY):
                made["added_tokens"].append({**flags, "id": id, "content": text})
            fill(made, VOCABULARY)  # transformers counts added tokens on from the last

        said = f'added token "<|pad|>" (id {VOCABULARY}) and 1 more can\'t be used: the embedding has {VOCABULARY} rows'
        for container, notes, why in self.outcomes(change):
            self.assertEqual((notes, why), ([said], ""), container)

    def test_tokens_of_text_without_rows_are_refused_by_every_container(self):
        def change(made):
            fill(made, VOCABULARY + 1)

        said = f"more tokens than rows of the embedding: expected at most {VOCABULARY}, found {VOCABULARY + 1}"
        for container, notes, why in self.outcomes(change):
            self.assertIsNone(notes, container)
            self.assertTrue(why.endswith(said), why)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
