"""Blocks by `nearest` are llama.cpp's own bytes: compared with the gguf package's quantizer.

    blocks_test.py ZEROPOINT SOURCE_DIR

Weights: random ones with heavy tails, ties in the largest magnitude, zero and constant blocks,
denormal scales, and every 16-bit float in turn, in a made-up Llama checkpoint.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import gguf
    import numpy as np
    from safetensors.numpy import save_file
except ImportError as missing:
    print(f"skipped: {missing}; scripts/make-venv .venv requirements/consumers.txt installs it")
    sys.exit(77)

TYPES = {
    "q4_0": gguf.GGMLQuantizationType.Q4_0,
    "q4_1": gguf.GGMLQuantizationType.Q4_1,
    "q5_0": gguf.GGMLQuantizationType.Q5_0,
    "q5_1": gguf.GGMLQuantizationType.Q5_1,
    "q8_0": gguf.GGMLQuantizationType.Q8_0,
    "tq1_0": gguf.GGMLQuantizationType.TQ1_0,
    "tq2_0": gguf.GGMLQuantizationType.TQ2_0,
    "mxfp4": gguf.GGMLQuantizationType.MXFP4,
}
HIDDEN, FFN, VOCABULARY = 256, 512, 256


def weights(random, rows, cols):
    w = (random.standard_t(3, size=(rows, cols)) * 0.02).astype(np.float32)
    w[0, :32] = 0
    w[1, :32] = 0.37
    w[2, :32] = np.where(np.arange(32) % 2 == 0, 0.25, -0.25)  # the first of two extremes decides
    w[3, :32] = -w[2, :32]
    w[4, :32] *= 1e-30  # below 1e-37 the formulas divide by a number whose inverse FP32 can't hold
    w[5, :32] *= 1e-6  # scales below FP16's normal numbers
    w[6, :32] = np.arange(32) - 15.5  # ties of the rounding
    w[7, :32] = np.arange(32) / 8
    return w


def every_half(rows, cols):
    codes = np.arange(rows * cols, dtype=np.uint32) % 0x7C00
    signs = (np.arange(rows * cols, dtype=np.uint32) // 7 % 2) << 15
    return (codes | signs).astype(np.uint16).view(np.float16).astype(np.float32).reshape(rows, cols)


def write_model(folder):
    random = np.random.default_rng(11)
    tensors = {"model.embed_tokens.weight": weights(random, VOCABULARY, HIDDEN), "model.norm.weight": np.ones(HIDDEN, np.float32)}
    layer = "model.layers.0."
    for name in ("input_layernorm", "post_attention_layernorm"):
        tensors[layer + name + ".weight"] = np.ones(HIDDEN, np.float32)
    for name in ("q", "k", "v", "o"):
        tensors[layer + f"self_attn.{name}_proj.weight"] = weights(random, HIDDEN, HIDDEN)
    tensors[layer + "mlp.gate_proj.weight"] = weights(random, FFN, HIDDEN)
    tensors[layer + "mlp.up_proj.weight"] = every_half(FFN, HIDDEN)
    tensors[layer + "mlp.down_proj.weight"] = weights(random, HIDDEN, FFN)
    save_file(tensors, folder / "model.safetensors")
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": HIDDEN,
        "intermediate_size": FFN, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 4,
        "vocab_size": VOCABULARY, "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "tie_word_embeddings": True,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return tensors


# Tensors whose rows GGUF keeps in the checkpoint's order.
SAME_ORDER = {
    "blk.0.attn_v.weight": "model.layers.0.self_attn.v_proj.weight",
    "blk.0.attn_output.weight": "model.layers.0.self_attn.o_proj.weight",
    "blk.0.ffn_gate.weight": "model.layers.0.mlp.gate_proj.weight",
    "blk.0.ffn_up.weight": "model.layers.0.mlp.up_proj.weight",
    "blk.0.ffn_down.weight": "model.layers.0.mlp.down_proj.weight",
}


class Blocks(unittest.TestCase):
    def test_nearest_gives_the_formats_own_bytes(self):
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            source = write_model(folder)
            for grid, ggml_type in TYPES.items():
                out = folder / f"{grid}.gguf"
                subprocess.run(
                    [ZEROPOINT, "quantize", folder, "--to", f"gguf:{grid}={out}", "--method", "nearest", "--quiet"], check=True
                )
                ours = {t.name: t for t in gguf.GGUFReader(out).tensors}
                blocks = 0
                for name, hf in SAME_ORDER.items():
                    theirs = gguf.quants.quantize(source[hf], ggml_type)
                    self.assertEqual(ours[name].tensor_type, ggml_type)
                    differing = (ours[name].data.reshape(-1) != theirs.reshape(-1)).sum()
                    self.assertEqual(differing, 0, f"{grid} {name}")
                    blocks += source[hf].size // 32
                print(f"{grid}: {blocks} blocks equal")


if __name__ == "__main__":
    ZEROPOINT = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
