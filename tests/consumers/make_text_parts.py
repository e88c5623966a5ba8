"""Small random models of several parts by transformers' own classes, and what these compute of a text in FP32.

    python make_text_parts.py FOLDER        needs torch, transformers

FOLDER/NAME is a model; FOLDER/logits.npz has "NAME": the logits of every position of IDS.
"""

import pathlib
import sys

import numpy as np
import torch
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma4Config,
    Gemma4ForConditionalGeneration,
    Gemma4UnifiedConfig,
    Gemma4UnifiedForConditionalGeneration,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    Phi4MultimodalConfig,
    Phi4MultimodalForCausalLM,
    Qwen3_5Config,
    Qwen3_5ForConditionalGeneration,
    Qwen3_5MoeConfig,
    Qwen3_5MoeForConditionalGeneration,
)

IDS = np.random.Generator(np.random.PCG64(5)).integers(3, 250, 100).tolist()
TEXT = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 264,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-5,
}
SMALL = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 2}
PIXTRAL = {**SMALL, "model_type": "pixtral", "head_dim": 16, "num_hidden_layers": 1, "patch_size": 14, "image_size": 28}
YARN = {
    "rope_type": "yarn",
    "rope_theta": 1e4,
    "factor": 16.0,
    "original_max_position_embeddings": 32,
    "max_position_embeddings": 512,
    "beta_fast": 32.0,
    "beta_slow": 1.0,
    "mscale": 1.0,
    "mscale_all_dim": 1.0,
    "llama_4_scaling_beta": 0.1,
}
LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 1e4,
    "partial_rotary_factor": 0.75,
    "short_factor": [1.0] * 6,
    "long_factor": [1.0, 1.5, 2.0, 3.0, 4.0, 6.0],
    "original_max_position_embeddings": 32,
}


def mistral3(text, **whole):
    text = {**TEXT, "head_dim": 32, **text}
    return Mistral3ForConditionalGeneration(Mistral3Config(text_config=text, vision_config=PIXTRAL, **whole))


LATENT = {
    "num_key_value_heads": 4,
    "kv_lora_rank": 32,
    "q_lora_rank": 48,
    "qk_nope_head_dim": 16,
    "qk_rope_head_dim": 16,
    "v_head_dim": 24,
    "moe_intermediate_size": 32,
    "n_routed_experts": 6,
    "num_experts_per_tok": 2,
}


def gemma3():
    vision = {**SMALL, "num_hidden_layers": 1, "image_size": 28, "patch_size": 14}
    text = {**TEXT, "head_dim": 32, "query_pre_attn_scalar": 32, "num_hidden_layers": 7, "sliding_window": 16}
    return Gemma3ForConditionalGeneration(Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=4))


def gemma4():
    vision = {**SMALL, "num_key_value_heads": 2, "head_dim": 16, "num_hidden_layers": 1, "patch_size": 4, "position_embedding_size": 16}
    text = {
        **TEXT, "head_dim": 16, "global_head_dim": 32, "num_hidden_layers": 4, "sliding_window": 16, "num_kv_shared_layers": 2,
        "layer_types": ["sliding_attention", "full_attention"] * 2, "hidden_size_per_layer_input": 32,
        "vocab_size_per_layer_input": 264, "final_logit_softcapping": 30.0, "tie_word_embeddings": True,
    }  # fmt: skip
    return Gemma4ForConditionalGeneration(Gemma4Config(text_config=text, vision_config=vision))


def gemma4_unified():
    text = {
        **TEXT, "head_dim": 16, "global_head_dim": 32, "num_hidden_layers": 4, "sliding_window": 16, "attention_k_eq_v": True,
        "layer_types": ["sliding_attention", "full_attention"] * 2, "num_global_key_value_heads": 1, "final_logit_softcapping": 30.0,
        "tie_word_embeddings": True,
    }  # fmt: skip
    vision = {"patch_size": 4, "mm_embed_dim": 32, "mm_posemb_size": 16, "output_proj_dims": 32}
    return Gemma4UnifiedForConditionalGeneration(Gemma4UnifiedConfig(text_config=text, vision_config=vision))


def phi4():
    vision = {**SMALL, "num_hidden_layers": 2, "image_size": 28, "crop_size": 28, "patch_size": 14}
    audio = {**SMALL, "num_blocks": 1, "ext_pw_out_channel": 32, "input_size": 16, "nemo_conv_channels": 8}
    ids = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    config = Phi4MultimodalConfig(
        **TEXT, **ids, vision_config=vision, audio_config=audio, rope_parameters=LONGROPE,
        original_max_position_embeddings=32, tie_word_embeddings=True,
    )  # fmt: skip
    return Phi4MultimodalForCausalLM(config)


LINEAR = {
    "head_dim": 32,
    "num_hidden_layers": 3,
    "layer_types": ["linear_attention", "full_attention", "linear_attention"],
    "linear_key_head_dim": 16,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_value_head_dim": 16,
}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 48}
TOWER = {
    "depth": 1,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_heads": 2,
    "out_hidden_size": 64,
    "num_position_embeddings": 16,
}


def qwen3_5():
    return Qwen3_5ForConditionalGeneration(Qwen3_5Config(text_config={**TEXT, **LINEAR}, vision_config=TOWER))


def qwen3_5_moe():
    text = {**TEXT, **LINEAR, **EXPERTS}
    del text["intermediate_size"]
    return Qwen3_5MoeForConditionalGeneration(Qwen3_5MoeConfig(text_config=text, vision_config=TOWER))


MODELS = {
    "mistral3_ministral3": lambda: mistral3({"model_type": "ministral3", "rope_parameters": YARN}, tie_word_embeddings=False),
    "mistral3_mistral4": lambda: mistral3({"model_type": "mistral4", "rope_parameters": YARN, **LATENT}, tie_word_embeddings=False),
    "mistral3_mistral": lambda: mistral3({"model_type": "mistral", "sliding_window": None}, tie_word_embeddings=False),
    "mistral3_tied": lambda: mistral3({"model_type": "mistral", "sliding_window": None}),
    "gemma3": gemma3,
    "gemma4": gemma4,
    "gemma4_unified": gemma4_unified,
    "phi4_multimodal": phi4,
    "qwen3_5": qwen3_5,
    "qwen3_5_moe": qwen3_5_moe,
}


@torch.no_grad()
def main(folder):
    logits = {}
    for name, make in MODELS.items():
        torch.manual_seed(1)
        model = make().float().eval()
        for weights in model.parameters():
            weights.normal_(*((0, 0.15) if weights.dim() > 1 else (1, 0.2)))
        model.tie_weights()
        model.save_pretrained(folder / name)
        logits[name] = model(input_ids=torch.tensor([IDS])).logits[0].numpy()
    np.savez(folder / "logits.npz", ids=IDS, **logits)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
