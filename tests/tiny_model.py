"""Makes a Llama checkpoint of the right shapes with random weights, by the standard library alone.

The tokenizer is byte-level with no merges: 256 bytes and one special token.
"""

import array
import json
import random

from safetensors_file import write_tensors


def byte_alphabet():
    """GPT-2's printable stand-ins for the 256 bytes, in byte order."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    extra = iter(range(256, 512))
    return [chr(byte) if byte in shown else chr(next(extra)) for byte in range(256)]


def tokenizer():
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {"type": "BPE", "vocab": {c: i for i, c in enumerate(byte_alphabet())}, "merges": []}
    return {
        "version": "1.0",
        "added_tokens": [{"id": 256, "content": "<|endoftext|>", **special}],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": model,
    }


def config(hidden, ffn, layers):
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": ffn,
        "num_hidden_layers": layers,
        "num_attention_heads": hidden // 32,
        "num_key_value_heads": hidden // 64,
        "head_dim": 32,
        "vocab_size": 257,
        "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "bos_token_id": 256,
        "eos_token_id": 256,
        "torch_dtype": "float32",
    }


def shapes(hidden, ffn, layers):
    yield "model.embed_tokens.weight", (257, hidden)
    for layer in range(layers):
        at = f"model.layers.{layer}."
        yield at + "input_layernorm.weight", (hidden,)
        yield at + "self_attn.q_proj.weight", (hidden, hidden)
        yield at + "self_attn.k_proj.weight", (hidden // 2, hidden)
        yield at + "self_attn.v_proj.weight", (hidden // 2, hidden)
        yield at + "self_attn.o_proj.weight", (hidden, hidden)
        yield at + "post_attention_layernorm.weight", (hidden,)
        yield at + "mlp.gate_proj.weight", (ffn, hidden)
        yield at + "mlp.up_proj.weight", (ffn, hidden)
        yield at + "mlp.down_proj.weight", (hidden, ffn)
    yield "model.norm.weight", (hidden,)
    yield "lm_head.weight", (257, hidden)


def make_tiny_model(folder, hidden=128, ffn=256, layers=2, seed=0):
    draw = random.Random(seed)
    pool = array.array("f", [draw.gauss(0, 0.02) for _ in range(65536)])
    tensors = {}
    for name, shape in shapes(hidden, ffn, layers):
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        start = draw.randrange(len(pool))
        values = (pool[start:] + pool * (count // len(pool) + 1))[:count]
        tensors[name] = ("F32", shape, values.tobytes())
    folder.mkdir(parents=True)
    write_tensors(folder / "model.safetensors", tensors)
    (folder / "config.json").write_text(json.dumps(config(hidden, ffn, layers)))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>"})
    )
    return folder
