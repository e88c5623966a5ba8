"""Small models of every architecture: their configs, and which tensors they have.

Shapes are odd on purpose (grouped heads, head sizes of their own, partial rotation, padded
vocabulary) and the weights are scaled so that attention is sharp, every layer matters and logits lie
well apart. Whoever asks for a model brings the random numbers (Draw); those of PlainDraw need the standard
library alone and are the same on every machine.
"""

import array
import functools
import json
import math
import random

from safetensors_file import write_tensors
from tiny_model import byte_alphabet, tokenizer

VOCABULARY = 264  # 256 tokens, a special one, and rows that no token has

BASE = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "vocab_size": VOCABULARY,
    "tie_word_embeddings": False,
    "bos_token_id": 256,
    "eos_token_id": 256,
    "torch_dtype": "float32",
}
LLAMA = {**BASE, "architectures": ["LlamaForCausalLM"], "model_type": "llama"}
MISTRAL = {**BASE, "architectures": ["MistralForCausalLM"], "model_type": "mistral", "head_dim": 32}
QWEN2 = {**BASE, "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "rms_norm_eps": 1e-6}
QWEN3 = {**BASE, "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "head_dim": 32}
QWEN3_MOE = {
    **QWEN3,
    "architectures": ["Qwen3MoeForCausalLM"],
    "model_type": "qwen3_moe",
    "num_experts": 6,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "norm_topk_prob": True,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
}
MIXTRAL = {
    **BASE,
    "architectures": ["MixtralForCausalLM"],
    "model_type": "mixtral",
    "num_local_experts": 6,
    "num_experts_per_tok": 2,
    "sliding_window": None,
}
# As GLM-4.5-Air has it, with a layer of multi-token prediction behind the last.
GLM4_MOE = {
    **BASE,
    "architectures": ["Glm4MoeForCausalLM"],
    "model_type": "glm4_moe",
    "num_hidden_layers": 3,
    "num_nextn_predict_layers": 1,
    "head_dim": 32,
    "partial_rotary_factor": 0.5,
    "attention_bias": True,
    "use_qk_norm": False,
    "moe_intermediate_size": 32,
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "n_group": 1,
    "topk_group": 1,
    "norm_topk_prob": True,
    "routed_scaling_factor": 1.0,
    "first_k_dense_replace": 1,
    "pad_token_id": 256,
}
# As DeepSeek-V2-Lite has it; values of another size than keys, but for which YaRN sharpens scores.
DEEPSEEK_V2 = {
    **BASE,
    "architectures": ["DeepseekV2ForCausalLM"],
    "model_type": "deepseek_v2",
    "num_key_value_heads": 4,
    "rms_norm_eps": 1e-6,
    "attention_bias": False,
    "kv_lora_rank": 32,
    "q_lora_rank": None,
    "qk_nope_head_dim": 24,
    "qk_rope_head_dim": 16,
    "v_head_dim": 32,
    "moe_intermediate_size": 32,
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "n_shared_experts": 2,
    "n_group": 1,
    "topk_group": 1,
    "topk_method": "greedy",
    "norm_topk_prob": False,
    "routed_scaling_factor": 1.0,
    "first_k_dense_replace": 1,
    "rope_scaling": {
        "type": "yarn", "factor": 16, "beta_fast": 32, "beta_slow": 1, "mscale": 0.707, "mscale_all_dim": 0.707,
        "original_max_position_embeddings": 32,
    },
}
# As DeepSeek-V3 has it, with a layer of multi-token prediction behind the last.
DEEPSEEK_V3 = {
    **{k: v for k, v in DEEPSEEK_V2.items() if k != "rope_scaling"},
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "num_nextn_predict_layers": 1,
    "q_lora_rank": 48,
    "n_shared_experts": 1,
    "n_group": 4,
    "topk_group": 2,
    "topk_method": "noaux_tc",
    "scoring_func": "sigmoid",
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.5,
    "rope_interleave": True,
}
GLM4_MOE_LITE = {
    **DEEPSEEK_V3,
    "architectures": ["Glm4MoeLiteForCausalLM"],
    "model_type": "glm4_moe_lite",
    "num_nextn_predict_layers": 0,
    "rms_norm_eps": 1e-5,
    "n_group": 1,
    "topk_group": 1,
    "routed_scaling_factor": 1.8,
    "pad_token_id": 256,
}
# As Granite 4.0 h-micro has it; states in two groups, time steps within limits.
GRANITE_HYBRID = {
    **BASE,
    "architectures": ["GraniteMoeHybridForCausalLM"],
    "model_type": "granitemoehybrid",
    "num_hidden_layers": 3,
    "layer_types": ["mamba", "attention", "mamba"],
    "position_embedding_type": "nope",
    "attention_bias": False,
    "attention_multiplier": 0.125,
    "embedding_multiplier": 2.0,
    "residual_multiplier": 0.5,
    "logits_scaling": 0.5,
    "num_local_experts": 0,
    "num_experts_per_tok": 0,
    "shared_intermediate_size": 96,
    "mamba_n_heads": 8,
    "mamba_n_groups": 1,
    "mamba_d_state": 12,
    "mamba_d_head": 16,
    "mamba_d_conv": 4,
    "mamba_expand": 2,
    "mamba_chunk_size": 16,
    "mamba_conv_bias": True,
    "mamba_proj_bias": False,
    "pad_token_id": 256,
}
# As Falcon-H1 1.5B has it, with multipliers that are all others.
FALCON_H1 = {
    **BASE,
    "architectures": ["FalconH1ForCausalLM"],
    "model_type": "falcon_h1",
    "head_dim": 32,
    "attention_bias": False,
    "mlp_bias": False,
    "projectors_bias": False,
    "mamba_d_ssm": 96,
    "mamba_n_heads": 6,
    "mamba_d_head": 16,
    "mamba_n_groups": 1,
    "mamba_d_state": 12,
    "mamba_d_conv": 4,
    "mamba_expand": 2,
    "mamba_chunk_size": 16,
    "mamba_conv_bias": True,
    "mamba_proj_bias": False,
    "mamba_rms_norm": False,
    "mamba_norm_before_gate": False,
    "mamba_use_mlp": True,
    "mlp_expansion_factor": 8,
    "embedding_multiplier": 5.656854249492381,
    "lm_head_multiplier": 0.0390625,
    "attention_in_multiplier": 0.75,
    "attention_out_multiplier": 0.9375,
    "key_multiplier": 0.390625,
    "mlp_multipliers": [0.8838834764831844, 0.5859375],
    "ssm_in_multiplier": 1.25,
    "ssm_out_multiplier": 0.23570226039551587,
    "ssm_multipliers": [0.7071067811865476, 0.25, 0.3535533905932738, 0.5, 0.6],
    "pad_token_id": 256,
}
# As Nemotron Nano 9B v2 has it: a layer of each kind but experts.
NEMOTRON_H = {
    **{key: value for key, value in BASE.items() if key not in ("rms_norm_eps", "rope_theta", "hidden_act")},
    "architectures": ["NemotronHForCausalLM"],
    "model_type": "nemotron_h",
    "num_hidden_layers": 4,
    "hybrid_override_pattern": "M-*M",
    "head_dim": 32,
    "layer_norm_epsilon": 1e-5,
    "mlp_hidden_act": "relu2",
    "attention_bias": False,
    "mlp_bias": False,
    "use_bias": False,
    "mamba_proj_bias": False,
    "mamba_hidden_act": "silu",
    "mamba_num_heads": 6,
    "mamba_head_dim": 16,
    "n_groups": 2,
    "ssm_state_size": 12,
    "conv_kernel": 4,
    "expand": 2,
    "use_conv_bias": True,
    "chunk_size": 16,
    "residual_in_fp32": False,
    "pad_token_id": 256,
}
# As Nemotron 3 Nano has it.
NEMOTRON_H_MOE = {
    **NEMOTRON_H,
    "num_hidden_layers": 5,
    "hybrid_override_pattern": "MEM*E",
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "moe_intermediate_size": 32,
    "moe_shared_expert_intermediate_size": 48,
    "n_group": 1,
    "topk_group": 1,
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.5,
}
# As Nemotron 3 Super has it: experts read a smaller vector than the hidden state.
NEMOTRON_H_LATENT = {**NEMOTRON_H_MOE, "moe_latent_size": 40}
# As Mistral Small 4 has it.
MISTRAL4 = {
    **{key: value for key, value in BASE.items() if key != "rope_theta"},
    "architectures": ["Mistral4ForCausalLM"],
    "model_type": "mistral4",
    "rms_norm_eps": 1e-6,
    "num_key_value_heads": 4,
    "kv_lora_rank": 32,
    "q_lora_rank": 48,
    "qk_nope_head_dim": 16,
    "qk_rope_head_dim": 16,
    "v_head_dim": 24,
    "moe_intermediate_size": 32,
    "n_routed_experts": 6,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 0,
    "norm_topk_prob": True,
    "routed_scaling_factor": 1.0,
    "rope_interleave": True,
    "attention_bias": False,
    "rope_parameters": {
        "rope_type": "yarn",
        "type": "yarn",
        "rope_theta": 10000.0,
        "factor": 16.0,
        "original_max_position_embeddings": 32,
        "max_position_embeddings": 512,
        "beta_fast": 32.0,
        "beta_slow": 1.0,
        "mscale": 1.0,
        "mscale_all_dim": 1.0,
        "llama_4_scaling_beta": 0.1,
        "partial_rotary_factor": 0.5,
    },
    "pad_token_id": 256,
}
# As Phi-mini-MoE has it, but for a noise that has more than one expert weighted.
PHIMOE = {
    **BASE,
    "architectures": ["PhiMoEForCausalLM"],
    "model_type": "phimoe",
    "num_local_experts": 6,
    "num_experts_per_tok": 2,
    "router_jitter_noise": 0.2,
    "input_jitter_noise": 0.01,
    "attention_bias": True,
    "lm_head_bias": True,
    "sliding_window": None,
}
# As gpt-oss has it, but for a ramp that llama.cpp and mlx-lm compute, too.
GPT_OSS = {
    **BASE,
    "architectures": ["GptOssForCausalLM"],
    "model_type": "gpt_oss",
    "attention_bias": True,
    "head_dim": 32,
    "layer_types": ["sliding_attention", "full_attention"],
    "num_local_experts": 6,
    "num_experts_per_tok": 2,
    "pad_token_id": 256,
    "rope_scaling": {
        "rope_type": "yarn", "factor": 4.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": True,
        "original_max_position_embeddings": 128,
    },
    "sliding_window": 12,
    "swiglu_limit": 7.0,
}
# The MLPs are 96 wide: two thirds of what is stated, up to a multiple.
LFM2 = {
    **{k: v for k, v in BASE.items() if k not in ("rms_norm_eps", "hidden_act")},
    "architectures": ["Lfm2ForCausalLM"],
    "model_type": "lfm2",
    "num_hidden_layers": 4,
    "intermediate_size": 120,
    "block_auto_adjust_ff_dim": True,
    "block_ffn_dim_multiplier": 1.0,
    "block_multiple_of": 32,
    "norm_eps": 1e-5,
    "conv_L_cache": 3,
    "conv_bias": False,
    "layer_types": ["conv", "full_attention", "conv", "full_attention"],
    "tie_word_embeddings": True,
    "pad_token_id": 256,
}
LFM2_MOE = {
    **{k: v for k, v in LFM2.items() if not k.startswith("block_")},
    "architectures": ["Lfm2MoeForCausalLM"],
    "model_type": "lfm2_moe",
    "num_hidden_layers": 3,
    "layer_types": ["conv", "full_attention", "conv"],
    "intermediate_size": 96,
    "num_dense_layers": 1,
    "num_experts": 8,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "norm_topk_prob": True,
    "use_expert_bias": True,
    "routed_scaling_factor": 1.0,
}
# Heads of values share those of keys, three each.
QWEN3_5 = {
    **{k: v for k, v in BASE.items() if k != "rope_theta"},
    "architectures": ["Qwen3_5ForCausalLM"],
    "model_type": "qwen3_5_text",
    "head_dim": 32,
    "num_hidden_layers": 3,
    "layer_types": ["linear_attention", "full_attention", "linear_attention"],
    "full_attention_interval": 2,
    "linear_conv_kernel_dim": 4,
    "linear_key_head_dim": 16,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 6,
    "linear_value_head_dim": 16,
    "rope_parameters": {
        "rope_type": "default",
        "rope_theta": 10000.0,
        "partial_rotary_factor": 0.25,
        "mrope_section": [2, 1, 1],
        "mrope_interleaved": True,
    },
    "pad_token_id": 256,
}
SHARED_EXPERT = {
    "num_experts": 6,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "shared_expert_intermediate_size": 48,
}
QWEN3_5_MOE = {
    **{k: v for k, v in QWEN3_5.items() if k != "intermediate_size"},
    **SHARED_EXPERT,
    "architectures": ["Qwen3_5MoeForCausalLM"],
    "model_type": "qwen3_5_moe_text",
}
QWEN3_NEXT = {
    **{k: v for k, v in QWEN3_5.items() if k != "rope_parameters"},
    **SHARED_EXPERT,
    "architectures": ["Qwen3NextForCausalLM"],
    "model_type": "qwen3_next",
    "rope_theta": 10000.0,
    "partial_rotary_factor": 0.25,
    "norm_topk_prob": True,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
}
PHI3 = {**BASE, "architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "pad_token_id": 256}
PHI = {
    **{k: v for k, v in BASE.items() if k != "rms_norm_eps"},
    "architectures": ["PhiForCausalLM"],
    "model_type": "phi",
    "hidden_act": "gelu_new",
    "layer_norm_eps": 1e-5,
    "num_key_value_heads": 4,
    "partial_rotary_factor": 0.5,
}
GEMMA2 = {
    **{k: v for k, v in BASE.items() if k != "hidden_act"},
    "architectures": ["Gemma2ForCausalLM"],
    "model_type": "gemma2",
    "hidden_activation": "gelu_pytorch_tanh",
    "head_dim": 32,
    "query_pre_attn_scalar": 32,
    "num_hidden_layers": 4,
    "sliding_window": 16,
    "attn_logit_softcapping": 6.0,
    "final_logit_softcapping": 15.0,
    "tie_word_embeddings": True,
    "pad_token_id": 256,
}
GEMMA3 = {
    **{k: v for k, v in GEMMA2.items() if not k.endswith("softcapping")},
    "architectures": ["Gemma3ForCausalLM"],
    "model_type": "gemma3_text",
    "num_hidden_layers": 7,
    "rope_theta": 1000000.0,
    "rope_local_base_freq": 10000.0,
}
SMOLLM3 = {
    **BASE,
    "architectures": ["SmolLM3ForCausalLM"],
    "model_type": "smollm3",
    "num_hidden_layers": 4,
    "pad_token_id": 256,
}
# As the 31B has it, by the words of published configs: K = V and heads of another size where a layer sees everything.
GEMMA4 = {
    **{k: v for k, v in BASE.items() if k not in ("rope_theta", "hidden_act")},
    "architectures": ["Gemma4ForCausalLM"],
    "model_type": "gemma4_text",
    "hidden_activation": "gelu_pytorch_tanh",
    "rms_norm_eps": 1e-6,
    "num_hidden_layers": 5,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "sliding_attention", "full_attention"],
    "head_dim": 16,
    "global_head_dim": 32,
    "num_global_key_value_heads": 1,
    "attention_k_eq_v": True,
    "num_kv_shared_layers": 0,
    "use_double_wide_mlp": False,
    "hidden_size_per_layer_input": 0,
    "vocab_size_per_layer_input": VOCABULARY,
    "enable_moe_block": False,
    "num_experts": None,
    "top_k_experts": None,
    "moe_intermediate_size": None,
    "sliding_window": 16,
    "final_logit_softcapping": 30.0,
    "use_bidirectional_attention": "vision",
    "rope_parameters": {
        "full_attention": {"partial_rotary_factor": 0.25, "rope_theta": 1000000.0, "rope_type": "proportional"},
        "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"},
    },
    "tie_word_embeddings": True,
    "pad_token_id": 256,
}
# As E2B has it, by transformers' own words of today.
GEMMA4_SHARED = {
    **{k: v for k, v in GEMMA4.items() if "global" not in k},
    "attention_k_eq_v": False,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention"] * 2,
    "num_hidden_layers": 8,
    "num_kv_shared_layers": 4,
    "per_layer_config": {str(layer): {"head_dim": 32} for layer in (1, 3, 5, 7)},
    "use_double_wide_mlp": True,
    "hidden_size_per_layer_input": 32,
    "use_bidirectional_attention": None,
}
# As 26B-A4B has it.
GEMMA4_EXPERTS = {
    **GEMMA4,
    "enable_moe_block": True,
    "num_experts": 6,
    "top_k_experts": 2,
    "moe_intermediate_size": 32,
}
GRANITE = {
    **BASE,
    "architectures": ["GraniteForCausalLM"],
    "model_type": "granite",
    "embedding_multiplier": 3.0,
    "attention_multiplier": 0.125,
    "residual_multiplier": 0.75,
    "logits_scaling": 0.75,
}
OLMO2 = {**BASE, "architectures": ["Olmo2ForCausalLM"], "model_type": "olmo2", "pad_token_id": 256}
OLMO3 = {
    **{k: v for k, v in OLMO2.items() if k != "rope_theta"},
    "architectures": ["Olmo3ForCausalLM"],
    "model_type": "olmo3",
    "num_hidden_layers": 5,
    "sliding_window": 16,
    "rope_parameters": {
        "full_attention": {"rope_type": "default", "rope_theta": 10000.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    },
}
GLM4 = {
    **BASE,
    "architectures": ["Glm4ForCausalLM"],
    "model_type": "glm4",
    "head_dim": 32,
    "partial_rotary_factor": 0.5,
    "attention_bias": True,
    "pad_token_id": 256,
}
HUNYUAN = {
    **BASE,
    "architectures": ["HunYuanDenseV1ForCausalLM"],
    "model_type": "hunyuan_v1_dense",
    "head_dim": 32,
    "pad_token_id": 256,
}
# Positions are counted by 8: the texts of the tests go beyond.
MINISTRAL3 = {
    **{k: v for k, v in BASE.items() if k != "rope_theta"},
    "architectures": ["Ministral3ForCausalLM"],
    "model_type": "ministral3",
    "head_dim": 32,
    "rope_parameters": {
        "rope_type": "yarn",
        "type": "yarn",
        "rope_theta": 10000.0,
        "factor": 64.0,
        "original_max_position_embeddings": 8,
        "max_position_embeddings": 512,
        "beta_fast": 32.0,
        "beta_slow": 1.0,
        "mscale": 1.0,
        "mscale_all_dim": 1.0,
        "llama_4_scaling_beta": 0.1,
    },
    "pad_token_id": 256,
}
GPT2 = {
    "architectures": ["GPT2LMHeadModel"],
    "model_type": "gpt2",
    "activation_function": "gelu_new",
    "n_embd": 64,
    "n_head": 4,
    "n_layer": 2,
    "n_positions": 128,
    "n_inner": None,
    "vocab_size": VOCABULARY,
    "layer_norm_epsilon": 1e-5,
    "bos_token_id": 256,
    "eos_token_id": 256,
    "torch_dtype": "float32",
}

LONGROPE = {
    "type": "longrope",
    "short_factor": [1.0, 1.1, 1.2, 1.4, 1.7, 2.0],
    "long_factor": [1.0, 1.5, 2.5, 4.0, 6.0, 9.0],
}
LONGROPE_8 = {
    "type": "longrope",
    "short_factor": [1.0, 1.1, 1.2, 1.4, 1.7, 2.0, 2.2, 2.4],
    "long_factor": [1.0, 1.5, 2.5, 4.0, 6.0, 9.0, 12.0, 16.0],
}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
MSCALES = {"short_mscale": 1.24, "long_mscale": 1.24}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128}

# Name -> config and seed. The seeds are ones with no close second among the greedy choices.
MODELS = {
    "llama": (LLAMA, 56),
    "llama_tied": ({**LLAMA, "tie_word_embeddings": True}, 9),
    "llama_gqa": ({**LLAMA, "num_attention_heads": 8, "num_key_value_heads": 4, "hidden_size": 128}, 47),
    "llama_biases": ({**LLAMA, "attention_bias": True, "mlp_bias": True}, 27),
    "llama_llama3": ({**LLAMA, "rope_scaling": LLAMA3}, 46),
    "llama_linear": ({**LLAMA, "rope_scaling": {"type": "linear", "factor": 4.0}}, 6),
    "llama_yarn": ({**LLAMA, "rope_scaling": YARN}, 43),
    "mistral": ({**MISTRAL, "sliding_window": None}, 7),
    "mistral_window": ({**MISTRAL, "sliding_window": 12}, 36),
    "qwen2": ({**QWEN2, "tie_word_embeddings": True, "use_sliding_window": False, "sliding_window": 64}, 26),
    "qwen2_yarn": ({**QWEN2, "rope_scaling": {**YARN, "attention_factor": 1.3}}, 33),
    "qwen3": (QWEN3, 34),
    "qwen3_moe": (QWEN3_MOE, 3),
    # A layer with one MLP, weights as the softmax over all experts gives them.
    "qwen3_moe_mixed": ({**QWEN3_MOE, "norm_topk_prob": False, "mlp_only_layers": [0]}, 5),
    "mixtral": (MIXTRAL, 3),
    "mixtral_window": ({**MIXTRAL, "sliding_window": 12}, 0),
    "glm4_moe": (GLM4_MOE, 5),
    # As GLM-4.5 has it, with groups.
    "glm4_moe_groups": (
        {
            **GLM4_MOE,
            "num_hidden_layers": 2,
            "num_nextn_predict_layers": 0,
            "use_qk_norm": True,
            "n_group": 4,
            "topk_group": 2,
            "n_shared_experts": 2,
            "routed_scaling_factor": 2.5,
        },
        5,
    ),
    "deepseek_v2": (DEEPSEEK_V2, 4),
    # As DeepSeek-V2 has it: queries of a vector of their own, experts of the best groups; biases.
    "deepseek_v2_groups": (
        {
            **DEEPSEEK_V2,
            "attention_bias": True,
            "q_lora_rank": 48,
            "n_group": 4,
            "topk_group": 2,
            "topk_method": "group_limited_greedy",
            "routed_scaling_factor": 16.0,
        },
        7,
    ),
    "deepseek_v3": (DEEPSEEK_V3, 10),
    "deepseek_v3_yarn": (
        {
            **DEEPSEEK_V3,
            "num_nextn_predict_layers": 0,
            "rope_scaling": {**DEEPSEEK_V2["rope_scaling"], "mscale": 1.0, "mscale_all_dim": 1.0},
        },
        7,
    ),
    "glm4_moe_lite": (GLM4_MOE_LITE, 10),
    "lfm2": (LFM2, 2),
    "lfm2_biases": (
        {
            **LFM2,
            "num_hidden_layers": 2,
            "layer_types": ["full_attention", "conv"],
            "conv_bias": True,
            "conv_L_cache": 4,
            "block_auto_adjust_ff_dim": False,
        },
        3,
    ),
    "lfm2_moe": (LFM2_MOE, 4),
    "qwen3_5": (QWEN3_5, 2),
    # As many heads of values as of keys, another interval, a head that is the embedding.
    "qwen3_5_even": (
        {
            **{k: v for k, v in QWEN3_5.items() if k != "layer_types"},
            "full_attention_interval": 3,
            "linear_num_key_heads": 6,
            "linear_conv_kernel_dim": 3,
            "tie_word_embeddings": True,
        },
        2,
    ),
    "qwen3_5_moe": (QWEN3_5_MOE, 2),
    "qwen3_next": (QWEN3_NEXT, 5),
    # A layer with one MLP, weights as the softmax over all experts gives them.
    "qwen3_next_mixed": ({**QWEN3_NEXT, "norm_topk_prob": False, "mlp_only_layers": [1]}, 2),
    "phimoe": (PHIMOE, 2),
    "phimoe_short": (
        {
            **PHIMOE,
            "router_jitter_noise": 0.01,
            "max_position_embeddings": 4096,
            "original_max_position_embeddings": 1024,
            "rope_scaling": {**LONGROPE_8, **MSCALES, "original_max_position_embeddings": 1024},
        },
        4,
    ),
    # One set of factors: transformers 5 takes the short ones at every length.
    "phimoe_long": (
        {
            **PHIMOE,
            "rope_scaling": {
                **LONGROPE_8,
                "short_factor": LONGROPE_8["long_factor"],
                **MSCALES,
                "long_mscale": 1.4,
                "original_max_position_embeddings": 8,
            },
        },
        11,
    ),
    "gpt_oss": (GPT_OSS, 7),
    "gpt_oss_ramp": ({**GPT_OSS, "rope_scaling": {**GPT_OSS["rope_scaling"], "truncate": False}}, 1),
    "gpt2": (GPT2, 7),
    "gpt2_untied": ({**GPT2, "tie_word_embeddings": False, "n_inner": 160}, 11),
    "phi": (PHI, 37),
    "gemma2": (GEMMA2, 59),
    # llama.cpp knows the 27B by its layers and takes hidden / heads for the scale of its scores.
    "gemma2_scaled": ({**GEMMA2, "query_pre_attn_scalar": 16, "num_hidden_layers": 46, "intermediate_size": 64}, 9),
    "gemma3": (GEMMA3, 22),
    # The form of transformers 5; sizes of heads that don't add up to the hidden size; a head of its own.
    "gemma3_new": (
        {
            **{k: v for k, v in GEMMA3.items() if not k.startswith("rope")},
            "tie_word_embeddings": False,
            "query_pre_attn_scalar": 32,
            "layer_types": [*["sliding_attention"] * 5, "full_attention", "sliding_attention"],
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
            },
        },
        15,
    ),
    "gemma4": (GEMMA4, 1),
    "gemma4_shared": (GEMMA4_SHARED, 1),
    "gemma4_experts": (GEMMA4_EXPERTS, 5),
    "smollm3": (SMOLLM3, 36),
    "granite": (GRANITE, 13),
    "granite_hybrid": (GRANITE_HYBRID, 5),
    # As Granite 4.0 h-small has it; several groups, and time steps within limits.
    "granite_hybrid_experts": (
        {
            **GRANITE_HYBRID,
            "layer_types": ["mamba", "mamba", "attention"],
            "position_embedding_type": "rope",
            "tie_word_embeddings": True,
            "intermediate_size": 32,
            "num_local_experts": 6,
            "num_experts_per_tok": 2,
            "mamba_n_groups": 2,
            "mamba_conv_bias": False,
            "time_step_limit": [0.1, 2.0],
        },
        0,
    ),
    "falcon_h1": (FALCON_H1, 12),
    # Groups of heads, a norm behind the gate, and a head that is the embedding.
    "falcon_h1_normed": (
        {
            **FALCON_H1,
            "mamba_rms_norm": True,
            "mamba_n_groups": 2,
            "mamba_d_ssm": None,
            "mamba_n_heads": 8,
            "tie_word_embeddings": True,
        },
        3,
    ),
    "nemotron_h": (NEMOTRON_H, 6),
    "nemotron_h_moe": (NEMOTRON_H_MOE, 19),
    "nemotron_h_latent": (NEMOTRON_H_LATENT, 19),
    "mistral4": (MISTRAL4, 2),
    # Queries that come of the input, and a layer with one MLP.
    "mistral4_dense": ({**MISTRAL4, "q_lora_rank": None, "first_k_dense_replace": 1, "n_shared_experts": 2}, 5),
    "olmo2": (OLMO2, 20),
    "olmo3": (OLMO3, 24),
    "olmo3_yarn": (
        {
            **OLMO3,
            "rope_parameters": {
                "full_attention": {**YARN, "rope_theta": 10000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
            },
        },
        13,
    ),
    "glm4": (GLM4, 38),
    "glm4_unbiased": ({**GLM4, "attention_bias": False}, 0),
    "hunyuan": (HUNYUAN, 7),
    # Published ones stretch the base by alpha, and call it dynamic.
    "hunyuan_alpha": (
        {
            **HUNYUAN,
            "tie_word_embeddings": True,
            "rope_scaling": {
                "type": "dynamic", "alpha": 1000.0, "factor": 1.0, "beta_fast": 32, "beta_slow": 1,
                "mscale": 1.0, "mscale_all_dim": 1.0,
            },
        },
        2,
    ),
    "ministral3": (MINISTRAL3, 10),
    "ministral3_tied": ({**MINISTRAL3, "tie_word_embeddings": True}, 2),
    "phi3": ({**PHI3, "sliding_window": 2047}, 0),
    "phi3_tied_partial": ({**PHI3, "tie_word_embeddings": True, "partial_rotary_factor": 0.75}, 13),
    "phi3_short": (
        {
            **PHI3,
            "partial_rotary_factor": 0.75,
            "max_position_embeddings": 4096,
            "original_max_position_embeddings": 1024,
            "rope_scaling": LONGROPE,
        },
        54,
    ),
    "phi3_long": (
        {
            **{k: v for k, v in PHI3.items() if k != "rope_theta"},
            "original_max_position_embeddings": 8,
            "rope_parameters": {
                **{k: v for k, v in LONGROPE.items() if k != "type"},
                "rope_type": "longrope",
                "rope_theta": 10000.0,
                "partial_rotary_factor": 0.75,
                "original_max_position_embeddings": 8,
            },
        },
        9,
    ),
}


def ascii_tokenizer():
    """ASCII and 128 pairs of letters: any choice of tokens is text, which llama.cpp's server wants."""
    alphabet = byte_alphabet()
    pairs = [alphabet[97 + i // 16] + alphabet[97 + i % 16] for i in range(128)]
    made = tokenizer()
    made["model"]["vocab"] = {text: i for i, text in enumerate(alphabet[:128] + pairs)}
    made["model"]["merges"] = [" ".join(pair) for pair in pairs]
    return made


class Draw:
    """FP32 tensors by name, in the order they are asked for. normals() gives one: a buffer that knows its shape."""

    def __init__(self):
        self.tensors = {}

    def normal(self, name, shape, deviation, mean=0.0):
        self.tensors[name] = self.normals(shape, deviation, mean)

    def linear(self, name, rows, cols, gain, bias=False, stored_transposed=False):
        shape = (cols, rows) if stored_transposed else (rows, cols)
        self.normal(name + ".weight", shape, gain / math.sqrt(cols))
        if bias:
            self.normal(name + ".bias", (rows,), 0.3)

    def norm(self, name, size, bias=False, mean=1.0):
        self.normal(name + ".weight", (size,), 0.2, mean)
        if bias:
            self.normal(name + ".bias", (size,), 0.2)


@functools.cache
def bells():
    """Numbers of mean 0 and deviation 1, nearly normal: sums of twelve even ones, which round alike everywhere."""
    draw = random.Random(12)
    return [sum(draw.random() for _ in range(12)) - 6 for _ in range(65521)]


class PlainDraw(Draw):
    """Stretches of bells(), each from a place of its own."""

    def __init__(self, seed):
        super().__init__()
        self.random = random.Random(seed)

    def normals(self, shape, deviation, mean):
        count = math.prod(shape)
        begin = int(self.random.random() * len(bells()))
        bell = (bells()[begin:] + bells() * (count // len(bells()) + 1))[:count]
        values = array.array("f", [mean + deviation * x for x in bell])
        return memoryview(values).cast("B").cast("f", shape)


SHARP, BUSY, LOUD = 2.0, 3.0, 3.0  # gains of q and k, of what enters the residual stream, of the head


# Of a layer's experts: where they stand, and what the router, gate, up and down are called there.
EXPERTS = {
    "qwen3_moe": ("mlp.", "gate", "gate_proj", "up_proj", "down_proj"),
    "mixtral": ("block_sparse_moe.", "gate", "w1", "w3", "w2"),
    "phimoe": ("block_sparse_moe.", "gate", "w1", "w3", "w2"),
    "glm4_moe": ("mlp.", "gate", "gate_proj", "up_proj", "down_proj"),
    **dict.fromkeys(
        ("deepseek_v2", "deepseek_v3", "glm4_moe_lite", "mistral4"), ("mlp.", "gate", "gate_proj", "up_proj", "down_proj")
    ),
    "lfm2_moe": ("feed_forward.", "gate", "w1", "w3", "w2"),
    "qwen3_5_moe_text": ("mlp.", "gate", "gate_proj", "up_proj", "down_proj"),
    "qwen3_next": ("mlp.", "gate", "gate_proj", "up_proj", "down_proj"),
}


def has_experts(config, layer):
    if config["model_type"] not in EXPERTS or layer in config.get("mlp_only_layers", []):
        return False
    if layer < config.get("first_k_dense_replace", config.get("num_dense_layers", 0)):
        return False
    return (layer + 1) % config.get("decoder_sparse_step", 1) == 0


def stacked_experts(draw, layer, config):
    """gpt-oss's: one tensor for all, transposed, gate and up in turns. Some are beyond the limits."""
    at = f"model.layers.{layer}.mlp."
    hidden, ffn, count = config["hidden_size"], config["intermediate_size"], config["num_local_experts"]
    draw.linear(at + "router", count, hidden, SHARP, True)
    draw.normal(at + "experts.gate_up_proj", (count, hidden, 2 * ffn), 4 / math.sqrt(hidden))
    draw.normal(at + "experts.gate_up_proj_bias", (count, 2 * ffn), 0.3)
    draw.normal(at + "experts.down_proj", (count, ffn, hidden), 0.5 / math.sqrt(ffn))
    draw.normal(at + "experts.down_proj_bias", (count, hidden), 0.3)


def experts(draw, layer, config):
    place, router, gate, up, down = EXPERTS[config["model_type"]]
    at = f"model.layers.{layer}.{place}"
    hidden = config["hidden_size"]
    ffn = config.get("moe_intermediate_size", config.get("intermediate_size"))
    count = next(config[name] for name in ("num_experts", "num_local_experts", "n_routed_experts") if name in config)
    draw.linear(at + router, count, hidden, SHARP)
    # Mistral 4's checkpoints have all in one tensor.
    stacked = config["model_type"] == "mistral4"
    if stacked:
        draw.normal(at + "experts.gate_up_proj", (count, 2 * ffn, hidden), 1 / math.sqrt(hidden))
        draw.normal(at + "experts.down_proj", (count, hidden, ffn), BUSY / math.sqrt(ffn))
    for expert in range(0 if stacked else count):
        draw.linear(f"{at}experts.{expert}.{gate}", ffn, hidden, 1)
        draw.linear(f"{at}experts.{expert}.{up}", ffn, hidden, 1)
        draw.linear(f"{at}experts.{expert}.{down}", hidden, ffn, BUSY)
    if config["model_type"] == "lfm2_moe":
        draw.normal(at + "expert_bias", (count,), 0.2)
    if "shared_expert_intermediate_size" in config:
        shared = config["shared_expert_intermediate_size"]
        draw.linear(at + "shared_expert_gate", 1, hidden, SHARP)
        draw.linear(at + "shared_expert.gate_proj", shared, hidden, 1)
        draw.linear(at + "shared_expert.up_proj", shared, hidden, 1)
        draw.linear(at + "shared_expert.down_proj", hidden, shared, BUSY)
    if "n_shared_experts" in config:
        shared = config["n_shared_experts"] * ffn
        if config["model_type"] not in ("deepseek_v2", "mistral4"):
            draw.normal(at + "gate.e_score_correction_bias", (count,), 0.2)
        draw.linear(at + "shared_experts.gate_proj", shared, hidden, 1)
        draw.linear(at + "shared_experts.up_proj", shared, hidden, 1)
        draw.linear(at + "shared_experts.down_proj", hidden, shared, BUSY)


def latent_attention(draw, at, config):
    hidden, heads, bias = config["hidden_size"], config["num_attention_heads"], config["attention_bias"]
    rank, queries, rotated = config["kv_lora_rank"], config["q_lora_rank"], config["qk_rope_head_dim"]
    own, values = config["qk_nope_head_dim"], config["v_head_dim"]
    if queries is None:
        draw.linear(at + "q_proj", heads * (own + rotated), hidden, SHARP)
    else:
        draw.linear(at + "q_a_proj", queries, hidden, 1, bias)
        draw.norm(at + "q_a_layernorm", queries)
        draw.linear(at + "q_b_proj", heads * (own + rotated), queries, SHARP)
    draw.linear(at + "kv_a_proj_with_mqa", rank + rotated, hidden, SHARP, bias)
    draw.norm(at + "kv_a_layernorm", rank)
    draw.linear(at + "kv_b_proj", heads * (own + values), rank, SHARP)
    draw.linear(at + "o_proj", hidden, heads * values, BUSY, bias)


def llama_like(draw, config):
    hidden, ffn = config["hidden_size"], config["intermediate_size"]
    head = config.get("head_dim", hidden // config["num_attention_heads"])
    q, kv = config["num_attention_heads"] * head, config["num_key_value_heads"] * head
    kind = config["model_type"]
    all_biases = kind == "phi" or config.get("attention_bias", False)
    mlp_bias = kind == "phi" or config.get("mlp_bias", False)
    layer_norms = kind in ("phi", "phimoe")
    head_norms = kind in ("qwen3", "qwen3_moe", "gemma3_text") or config.get("use_qk_norm", False)
    # Gemma multiplies the embedding by sqrt(hidden) and 1 by what its norms hold.
    gemma = kind in ("gemma2", "gemma3_text")
    olmo = kind in ("olmo2", "olmo3")
    one = 0.0 if gemma else 1.0
    draw.normal("model.embed_tokens.weight", (VOCABULARY, hidden), 0.05 if gemma else 0.5)
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        if not olmo:
            draw.norm(at + "input_layernorm", hidden, layer_norms, one)
        if "kv_lora_rank" in config:
            latent_attention(draw, at + "self_attn.", config)
        elif kind == "phi3":
            draw.linear(at + "self_attn.qkv_proj", q + 2 * kv, hidden, SHARP)
            draw.linear(at + "mlp.gate_up_proj", 2 * ffn, hidden, 1)
        else:
            bias = all_biases or kind == "qwen2"
            draw.linear(at + "self_attn.q_proj", q, hidden, SHARP, bias)
            draw.linear(at + "self_attn.k_proj", kv, hidden, SHARP, bias)
            draw.linear(at + "self_attn.v_proj", kv, hidden, SHARP, bias)
        if kind == "gpt_oss":
            draw.normal(at + "self_attn.sinks", (config["num_attention_heads"],), 1.0)
        if head_norms:
            draw.norm(at + "self_attn.q_norm", head, mean=one)
            draw.norm(at + "self_attn.k_norm", head, mean=one)
        if olmo:
            draw.norm(at + "self_attn.q_norm", q)
            draw.norm(at + "self_attn.k_norm", kv)
        if kind == "hunyuan_v1_dense":
            draw.norm(at + "self_attn.query_layernorm", head)
            draw.norm(at + "self_attn.key_layernorm", head)
        output = "self_attn.dense" if kind == "phi" else "self_attn.o_proj"
        if "kv_lora_rank" not in config:
            draw.linear(at + output, hidden, q, BUSY, all_biases and kind not in ("glm4", "glm4_moe"))
        if kind == "phi":
            draw.linear(at + "mlp.fc1", ffn, hidden, 1, True)
            draw.linear(at + "mlp.fc2", hidden, ffn, BUSY, True)
            continue
        draw.norm(at + "post_attention_layernorm", hidden, layer_norms, one)
        if gemma:
            draw.norm(at + "pre_feedforward_layernorm", hidden, mean=one)
        if gemma or olmo:
            draw.norm(at + "post_feedforward_layernorm", hidden, mean=one)
        if kind == "glm4":
            draw.norm(at + "post_self_attn_layernorm", hidden)
            draw.norm(at + "post_mlp_layernorm", hidden)
        if kind == "gpt_oss":
            stacked_experts(draw, layer, config)
            continue
        if has_experts(config, layer):
            experts(draw, layer, config)
            continue
        if kind == "glm4":
            draw.linear(at + "mlp.gate_up_proj", 2 * ffn, hidden, 1)
        elif kind != "phi3":
            draw.linear(at + "mlp.gate_proj", ffn, hidden, 1, mlp_bias)
            draw.linear(at + "mlp.up_proj", ffn, hidden, 1, mlp_bias)
        draw.linear(at + "mlp.down_proj", hidden, ffn, BUSY, mlp_bias)
    output = "model.final_layernorm" if kind == "phi" else "model.norm"
    draw.norm(output, hidden, layer_norms, 6.0 if gemma else one)
    if not config["tie_word_embeddings"]:
        head_bias = kind == "phi" or config.get("lm_head_bias", False)
        draw.linear("lm_head", VOCABULARY, hidden, 0.5 if gemma else LOUD, head_bias)
    for layer in range(config.get("num_nextn_predict_layers", 0)):
        at = f"model.layers.{config['num_hidden_layers'] + layer}."
        draw.linear(at + "eh_proj", hidden, 2 * hidden, 1)
        draw.linear(at + "shared_head.head", VOCABULARY, hidden, 1)
        for norm in ("enorm", "hnorm", "shared_head.norm"):
            draw.norm(at + norm, hidden)


def lfm2(draw, config):
    hidden, ffn = config["hidden_size"], config["intermediate_size"]
    if config.get("block_auto_adjust_ff_dim", False):
        ffn = -(-(2 * ffn // 3) // config["block_multiple_of"]) * config["block_multiple_of"]
    head = hidden // config["num_attention_heads"]
    bias = config["conv_bias"]
    draw.normal("model.embed_tokens.weight", (VOCABULARY, hidden), 0.5)
    for layer, kind in enumerate(config["layer_types"]):
        at = f"model.layers.{layer}."
        draw.norm(at + "operator_norm", hidden)
        if kind == "conv":
            draw.linear(at + "conv.in_proj", 3 * hidden, hidden, 1, bias)
            draw.normal(at + "conv.conv.weight", (hidden, 1, config["conv_L_cache"]), 0.6)
            if bias:
                draw.normal(at + "conv.conv.bias", (hidden,), 0.3)
            draw.linear(at + "conv.out_proj", hidden, hidden, BUSY, bias)
        else:
            draw.linear(at + "self_attn.q_proj", hidden, hidden, SHARP)
            draw.linear(at + "self_attn.k_proj", config["num_key_value_heads"] * head, hidden, SHARP)
            draw.linear(at + "self_attn.v_proj", config["num_key_value_heads"] * head, hidden, SHARP)
            draw.norm(at + "self_attn.q_layernorm", head)
            draw.norm(at + "self_attn.k_layernorm", head)
            draw.linear(at + "self_attn.out_proj", hidden, hidden, BUSY)
        draw.norm(at + "ffn_norm", hidden)
        if has_experts(config, layer):
            experts(draw, layer, config)
            continue
        draw.linear(at + "feed_forward.w1", ffn, hidden, 1)
        draw.linear(at + "feed_forward.w3", ffn, hidden, 1)
        draw.linear(at + "feed_forward.w2", hidden, ffn, BUSY)
    draw.norm("model.embedding_norm", hidden)
    if not config["tie_word_embeddings"]:
        draw.linear("lm_head", VOCABULARY, hidden, LOUD)


def linear_attention(draw, at, config):
    hidden = config["hidden_size"]
    heads = config["linear_num_value_heads"]
    keys = config["linear_num_key_heads"] * config["linear_key_head_dim"]
    values = heads * config["linear_value_head_dim"]
    if config["model_type"] == "qwen3_next":
        draw.linear(at + "in_proj_qkvz", 2 * keys + 2 * values, hidden, SHARP)
        draw.linear(at + "in_proj_ba", 2 * heads, hidden, SHARP)
    else:
        draw.linear(at + "in_proj_qkv", 2 * keys + values, hidden, SHARP)
        draw.linear(at + "in_proj_z", values, hidden, SHARP)
        draw.linear(at + "in_proj_b", heads, hidden, SHARP)
        draw.linear(at + "in_proj_a", heads, hidden, SHARP)
    draw.normal(at + "conv1d.weight", (2 * keys + values, 1, config["linear_conv_kernel_dim"]), 0.6)
    draw.normal(at + "dt_bias", (heads,), 0.5)
    draw.normal(at + "A_log", (heads,), 0.7, -1.0)  # a state is half gone in some two tokens
    draw.norm(at + "norm", config["linear_value_head_dim"])
    draw.linear(at + "out_proj", hidden, values, BUSY)


def qwen3_next(draw, config):
    hidden, head = config["hidden_size"], config["head_dim"]
    q, kv = config["num_attention_heads"] * head, config["num_key_value_heads"] * head
    draw.normal("model.embed_tokens.weight", (VOCABULARY, hidden), 0.5)
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        draw.norm(at + "input_layernorm", hidden, mean=0.0)
        full = (layer + 1) % config["full_attention_interval"] == 0
        if "layer_types" in config:
            full = config["layer_types"][layer] == "full_attention"
        if full:
            draw.linear(at + "self_attn.q_proj", 2 * q, hidden, SHARP)
            draw.linear(at + "self_attn.k_proj", kv, hidden, SHARP)
            draw.linear(at + "self_attn.v_proj", kv, hidden, SHARP)
            draw.norm(at + "self_attn.q_norm", head, mean=0.0)
            draw.norm(at + "self_attn.k_norm", head, mean=0.0)
            draw.linear(at + "self_attn.o_proj", hidden, q, BUSY)
        else:
            linear_attention(draw, at + "linear_attn.", config)
        draw.norm(at + "post_attention_layernorm", hidden, mean=0.0)
        if has_experts(config, layer):
            experts(draw, layer, config)
            continue
        ffn = config["intermediate_size"]
        draw.linear(at + "mlp.gate_proj", ffn, hidden, 1)
        draw.linear(at + "mlp.up_proj", ffn, hidden, 1)
        draw.linear(at + "mlp.down_proj", hidden, ffn, BUSY)
    draw.norm("model.norm", hidden, mean=0.0)
    if not config["tie_word_embeddings"]:
        draw.linear("lm_head", VOCABULARY, hidden, LOUD)


def space(draw, at, config, names, inner, normed=True, gain=BUSY):
    """A selective state space's tensors; names: of the config's fields; gain: of what leaves it."""
    hidden, heads = config["hidden_size"], config[names["heads"]]
    convolved = inner + 2 * config[names["groups"]] * config[names["state"]]
    draw.linear(at + "in_proj", inner + convolved + heads, hidden, SHARP)
    draw.normal(at + "conv1d.weight", (convolved, 1, config[names["kernel"]]), 0.6)
    if config[names["bias"]]:
        draw.normal(at + "conv1d.bias", (convolved,), 0.3)
    draw.normal(at + "dt_bias", (heads,), 0.5)
    draw.normal(at + "A_log", (heads,), 0.7, -1.0)  # a state is half gone in some two tokens
    draw.normal(at + "D", (heads,), 0.5, 1.0)
    if normed:
        draw.norm(at + "norm", inner)
    draw.linear(at + "out_proj", hidden, inner, gain)


MAMBA = {
    "heads": "mamba_n_heads",
    "groups": "mamba_n_groups",
    "state": "mamba_d_state",
    "kernel": "mamba_d_conv",
    "bias": "mamba_conv_bias",
}
NEMOTRONS = {
    "heads": "mamba_num_heads",
    "groups": "n_groups",
    "state": "ssm_state_size",
    "kernel": "conv_kernel",
    "bias": "use_conv_bias",
}


def granite_hybrid(draw, config):
    hidden = config["hidden_size"]
    kv = config["num_key_value_heads"] * (hidden // config["num_attention_heads"])
    draw.normal("model.embed_tokens.weight", (VOCABULARY, hidden), 0.5)
    for layer, kind in enumerate(config["layer_types"]):
        at = f"model.layers.{layer}."
        draw.norm(at + "input_layernorm", hidden)
        if kind in ("attention", "full_attention"):
            bias = config.get("attention_bias", False)
            draw.linear(at + "self_attn.q_proj", hidden, hidden, SHARP, bias)
            draw.linear(at + "self_attn.k_proj", kv, hidden, SHARP, bias)
            draw.linear(at + "self_attn.v_proj", kv, hidden, SHARP, bias)
            draw.linear(at + "self_attn.o_proj", hidden, hidden, BUSY, bias)
        else:
            space(draw, at + "mamba.", config, MAMBA, config["mamba_expand"] * hidden)
        draw.norm(at + "post_attention_layernorm", hidden)
        shared = config["shared_intermediate_size"]
        draw.linear(at + "shared_mlp.input_linear", 2 * shared, hidden, 1)
        draw.linear(at + "shared_mlp.output_linear", hidden, shared, BUSY)
        if count := config["num_local_experts"]:
            ffn, moe = config["intermediate_size"], at + "block_sparse_moe."
            draw.linear(moe + "router.layer", count, hidden, SHARP)
            draw.normal(moe + "input_linear.weight", (count, 2 * ffn, hidden), 1 / math.sqrt(hidden))
            draw.normal(moe + "output_linear.weight", (count, hidden, ffn), BUSY / math.sqrt(ffn))
    draw.norm("model.norm", hidden)
    if not config["tie_word_embeddings"]:
        draw.linear("lm_head", VOCABULARY, hidden, LOUD)


def gemma4(draw, config):
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    own = config["num_hidden_layers"] - config["num_kv_shared_layers"]
    columns = config["hidden_size_per_layer_input"]
    draw.normal("model.embed_tokens.weight", (VOCABULARY, hidden), 0.08)
    if columns:
        all_columns = config["num_hidden_layers"] * columns
        rows = config["vocab_size_per_layer_input"]
        draw.normal("model.embed_tokens_per_layer.weight", (rows, all_columns), 0.2)
        draw.linear("model.per_layer_model_projection", all_columns, hidden, 1)
        draw.norm("model.per_layer_projection_norm", columns)
    for layer, kind in enumerate(config["layer_types"]):
        at = f"model.layers.{layer}."
        full = kind == "full_attention"
        same = full and config["attention_k_eq_v"]
        head = config.get("global_head_dim", 32) if full else config["head_dim"]
        kv = head * (config["num_global_key_value_heads"] if same else config["num_key_value_heads"])
        draw.norm(at + "input_layernorm", hidden)
        draw.linear(at + "self_attn.q_proj", heads * head, hidden, 1)
        draw.norm(at + "self_attn.q_norm", head, mean=0.7)
        if layer < own:
            draw.linear(at + "self_attn.k_proj", kv, hidden, 1)
            draw.norm(at + "self_attn.k_norm", head, mean=0.7)
            if not same:
                draw.linear(at + "self_attn.v_proj", kv, hidden, 1)
        draw.linear(at + "self_attn.o_proj", hidden, heads * head, 1)
        for norm in ("post_attention", "pre_feedforward", "post_feedforward"):
            draw.norm(at + norm + "_layernorm", hidden)
        ffn = config["intermediate_size"] * (2 if config["use_double_wide_mlp"] and layer >= own else 1)
        draw.linear(at + "mlp.gate_proj", ffn, hidden, 1)
        draw.linear(at + "mlp.up_proj", ffn, hidden, 1)
        draw.linear(at + "mlp.down_proj", hidden, ffn, 1)
        draw.normal(at + "layer_scalar", (1,), 0.1, 0.9)
        if columns:
            draw.linear(at + "per_layer_input_gate", columns, hidden, 1)
            draw.linear(at + "per_layer_projection", hidden, columns, 1)
            draw.norm(at + "post_per_layer_input_norm", hidden)
        if config["enable_moe_block"]:
            count, width = config["num_experts"], config["moe_intermediate_size"]
            draw.linear(at + "router.proj", count, hidden, 8 * SHARP)
            draw.normal(at + "router.scale", (hidden,), 0.2, 1.0)
            draw.normal(at + "router.per_expert_scale", (count,), 0.2, 1.0)
            draw.normal(at + "experts.gate_up_proj", (count, 2 * width, hidden), 1 / math.sqrt(hidden))
            draw.normal(at + "experts.down_proj", (count, hidden, width), 1 / math.sqrt(width))
            for norm in ("post_feedforward_layernorm_1", "pre_feedforward_layernorm_2", "post_feedforward_layernorm_2"):
                draw.norm(at + norm, hidden)
    draw.norm("model.norm", hidden, mean=6.0)
    if not config["tie_word_embeddings"]:
        draw.linear("lm_head", VOCABULARY, hidden, LOUD)


def falcon_h1(draw, config):
    hidden, ffn, head = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    columns, kv = config["num_attention_heads"] * head, config["num_key_value_heads"] * head
    inner = config["mamba_d_ssm"] or config["mamba_expand"] * hidden
    into, (gate, down) = config["attention_in_multiplier"], config["mlp_multipliers"]
    draw.normal("model.embed_tokens.weight", (VOCABULARY, hidden), 0.5 / config["embedding_multiplier"])
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        draw.norm(at + "input_layernorm", hidden)
        space(draw, at + "mamba.", config, MAMBA, inner, config["mamba_rms_norm"], BUSY / config["ssm_out_multiplier"])
        draw.linear(at + "self_attn.q_proj", columns, hidden, SHARP / into)
        draw.linear(at + "self_attn.k_proj", kv, hidden, SHARP / into / config["key_multiplier"])
        draw.linear(at + "self_attn.v_proj", kv, hidden, SHARP / into)
        draw.linear(at + "self_attn.o_proj", hidden, columns, BUSY)
        draw.norm(at + "pre_ff_layernorm", hidden)
        draw.linear(at + "feed_forward.gate_proj", ffn, hidden, 1 / gate)
        draw.linear(at + "feed_forward.up_proj", ffn, hidden, 1)
        draw.linear(at + "feed_forward.down_proj", hidden, ffn, BUSY / down)
    draw.norm("model.final_layernorm", hidden, mean=6 / config["lm_head_multiplier"] if config["tie_word_embeddings"] else 1.0)
    if not config["tie_word_embeddings"]:
        draw.linear("lm_head", VOCABULARY, hidden, LOUD / config["lm_head_multiplier"])


def nemotron_h(draw, config):
    hidden, head = config["hidden_size"], config["head_dim"]
    columns, kv = config["num_attention_heads"] * head, config["num_key_value_heads"] * head
    inner = config["mamba_num_heads"] * config["mamba_head_dim"]
    draw.normal("backbone.embeddings.weight", (VOCABULARY, hidden), 0.5)
    for layer, kind in enumerate(config["hybrid_override_pattern"]):
        at = f"backbone.layers.{layer}."
        draw.norm(at + "norm", hidden)
        at += "mixer."
        if kind == "M":
            space(draw, at, config, NEMOTRONS, inner)
        elif kind == "*":
            draw.linear(at + "q_proj", columns, hidden, SHARP)
            draw.linear(at + "k_proj", kv, hidden, SHARP)
            draw.linear(at + "v_proj", kv, hidden, SHARP)
            draw.linear(at + "o_proj", hidden, columns, BUSY)
        elif kind == "-":
            draw.linear(at + "up_proj", config["intermediate_size"], hidden, 1)
            draw.linear(at + "down_proj", hidden, config["intermediate_size"], BUSY)
        else:
            count, ffn = config["n_routed_experts"], config["moe_intermediate_size"]
            draw.linear(at + "gate", count, hidden, SHARP)
            draw.normal(at + "gate.e_score_correction_bias", (count,), 0.1)
            width = config.get("moe_latent_size") or hidden
            if width != hidden:
                draw.linear(at + "fc1_latent_proj", width, hidden, 1)
                draw.linear(at + "fc2_latent_proj", hidden, width, 1)
            for expert in range(count):
                draw.linear(at + f"experts.{expert}.up_proj", ffn, width, 1)
                draw.linear(at + f"experts.{expert}.down_proj", width, ffn, BUSY)
            shared = config["moe_shared_expert_intermediate_size"]
            draw.linear(at + "shared_experts.up_proj", shared, hidden, 1)
            draw.linear(at + "shared_experts.down_proj", hidden, shared, BUSY)
    draw.norm("backbone.norm_f", hidden)
    if not config["tie_word_embeddings"]:
        draw.linear("lm_head", VOCABULARY, hidden, LOUD)


def gpt2(draw, config):
    hidden = config["n_embd"]
    ffn = config["n_inner"] or 4 * hidden
    draw.normal("transformer.wte.weight", (VOCABULARY, hidden), 0.5)
    draw.normal("transformer.wpe.weight", (config["n_positions"], hidden), 0.5)
    for layer in range(config["n_layer"]):
        at = f"transformer.h.{layer}."
        draw.norm(at + "ln_1", hidden, True)
        draw.linear(at + "attn.c_attn", 3 * hidden, hidden, SHARP, True, True)
        draw.linear(at + "attn.c_proj", hidden, hidden, BUSY, True, True)
        draw.norm(at + "ln_2", hidden, True)
        draw.linear(at + "mlp.c_fc", ffn, hidden, 1, True, True)
        draw.linear(at + "mlp.c_proj", hidden, ffn, BUSY, True, True)
    draw.norm("transformer.ln_f", hidden, True)
    if not config.get("tie_word_embeddings", True):
        draw.linear("lm_head", VOCABULARY, hidden, LOUD)


def draw_model(draw, config):
    """All tensors of a config, by name."""
    draws = {
        "gpt2": gpt2,
        "granitemoehybrid": granite_hybrid,
        "falcon_h1": falcon_h1,
        "nemotron_h": nemotron_h,
        "gemma4_text": gemma4,
        "lfm2": lfm2,
        "lfm2_moe": lfm2,
        "qwen3_5_text": qwen3_next,
        "qwen3_5_moe_text": qwen3_next,
        "qwen3_next": qwen3_next,
    }
    draws.get(config["model_type"], llama_like)(draw, config)
    return draw.tensors


def save_model(folder, config, tensors):
    folder.mkdir(parents=True)
    write_tensors(folder / "model.safetensors", {name: ("F32", t.shape, t.tobytes()) for name, t in tensors.items()})
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    (folder / "tokenizer.json").write_text(json.dumps(ascii_tokenizer()))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>"})
    )
    return folder
