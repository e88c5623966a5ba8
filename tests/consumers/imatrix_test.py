"""llama.cpp's imatrix files weigh the search: quantize --statistics, with files as its tools write them.

    imatrix_test.py ZEROPOINT SOURCE_DIR

The GGUF form is written by the gguf package, the .dat form byte by byte. Judge of the weighted error is
the gguf package's decoder; llama.cpp (xllamacpp) loads what was made.
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

try:
    import gguf
    import numpy as np
    from safetensors.numpy import save_file

    from llama import Llama
except ImportError as missing:
    print(f"skipped: {missing}; scripts/make-venv .venv requirements/consumers.txt installs it")
    sys.exit(77)

HIDDEN, FFN, VOCABULARY, LAYERS = 256, 512, 256, 8
NAMES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
         "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
         "ffn_down": "mlp.down_proj"}  # fmt: skip
SAME_ORDER = ["attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]
GRIDS = ["q4_0", "q2_k", "q3_k_m", "q4_k_m", "iq4_xs", "iq3_xxs", "iq2_xs", "iq1_s", "tq2_0", "mxfp4"]


def write_model(folder, random):
    tensors = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN)}
    for layer in range(LAYERS):
        for name in NAMES.values():
            rows = FFN if name in ("mlp.gate_proj", "mlp.up_proj") else HIDDEN
            tensors[f"model.layers.{layer}.{name}.weight"] = (rows, FFN if name == "mlp.down_proj" else HIDDEN)
    tensors = {k: (random.standard_t(5, size=shape) * 0.02).astype(np.float32) for k, shape in tensors.items()}
    norms = ["model.norm"] + [f"model.layers.{i}.{n}" for i in range(LAYERS) for n in ("input_layernorm", "post_attention_layernorm")]
    tensors.update({f"{name}.weight": np.ones(HIDDEN, np.float32) for name in norms})
    save_file(tensors, folder / "model.safetensors")
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": HIDDEN,
        "intermediate_size": FFN, "num_hidden_layers": LAYERS, "num_attention_heads": 4, "num_key_value_heads": 4,
        "vocab_size": VOCABULARY, "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "tie_word_embeddings": True,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return tensors


def write_gguf(path, means, tokens):
    writer = gguf.GGUFWriter(path, "none")
    writer.kv_data[0].clear()  # llama-imatrix names no architecture
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", ["some.txt"])
    writer.add_uint32("imatrix.chunk_count", tokens // 512)
    writer.add_uint32("imatrix.chunk_size", 512)
    for name, values in means.items():
        writer.add_tensor(f"{name}.in_sum2", (values * np.float32(tokens)).reshape(1, -1))
        writer.add_tensor(f"{name}.counts", np.full((1, 1), tokens, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_dat(path, means, calls):
    data = struct.pack("<i", len(means))
    for name, values in means.items():
        data += struct.pack("<i", len(name)) + name.encode() + struct.pack("<ii", calls, len(values))
        data += (values * np.float32(calls)).tobytes()
    path.write_bytes(data + struct.pack("<ii", calls, 8) + b"some.txt")


def run(*command):
    return subprocess.run([str(c) for c in (PROGRAM, *command)], capture_output=True, text=True)


class ImatrixTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        random = np.random.default_rng(31)
        cls.weights = write_model(cls.folder, random)
        cls.means = {}
        for layer in range(LAYERS):
            for name in NAMES:
                columns = FFN if name == "ffn_down" else HIDDEN
                # Means that 1024 and 2 multiply without rounding.
                cls.means[f"blk.{layer}.{name}.weight"] = np.exp(random.standard_normal(columns)).astype(np.float16).astype(np.float32)
        write_gguf(cls.folder / "imatrix.gguf", cls.means, 1024)
        write_dat(cls.folder / "imatrix.dat", cls.means, 2)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def quantize(self, grid, name, *options):
        path = self.folder / name
        done = run("quantize", self.folder, "--to", f"gguf:{grid}={path}", "--force", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return path, done.stderr

    def weighted_error(self, path):
        error = 0.0
        for tensor in gguf.GGUFReader(path).tensors:
            name = tensor.name.split(".")
            if len(name) < 4 or name[2] not in SAME_ORDER:
                continue
            source = self.weights[f"model.layers.{name[1]}.{NAMES[name[2]]}.weight"].astype(np.float64)
            found = gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(source.shape)
            error += float(np.sum(self.means[tensor.name] * (found - source) ** 2))
        return error

    def test_statistics_lower_the_error_where_it_counts_and_both_forms_are_one(self):
        for grid in GRIDS:
            with self.subTest(grid):
                # The same types for every tensor, with and without: --set takes mixtures' exceptions away.
                same = ["--set", f"layers.*={grid.split('_m')[0]}"]
                plain, _ = self.quantize(grid, "plain.gguf", *same)
                weighted, _ = self.quantize(grid, "weighted.gguf", "--statistics", self.folder / "imatrix.gguf", *same)
                dat, _ = self.quantize(grid, "dat.gguf", "--statistics", self.folder / "imatrix.dat", *same)
                # Only their metadata differs: it says which file the statistics are from.
                for one, other in zip(*(gguf.GGUFReader(path).tensors for path in (weighted, dat)), strict=True):
                    self.assertEqual((one.name, one.data.tobytes()), (other.name, other.data.tobytes()))
                before, after = self.weighted_error(plain), self.weighted_error(weighted)
                print(f"{grid}: weighted error {after / before:.3f} of that without statistics")
                self.assertLess(after, before)

    def test_llama_cpp_loads_what_statistics_weighed(self):
        path, _ = self.quantize("iq2_xs", "loaded.gguf", "--statistics", self.folder / "imatrix.gguf")
        self.assertIsNotNone(Llama(path))

    def test_says_what_has_no_statistics_and_what_is_unknown(self):
        means = {k: v for k, v in self.means.items() if not k.startswith("blk.3.ffn_up")}
        means["blk.0.attn_qkv.weight"] = np.ones(HIDDEN, np.float32)
        write_dat(self.folder / "other.dat", means, 2)
        _, said = self.quantize("q4_0", "noted.gguf", "--statistics", self.folder / "other.dat")
        self.assertIn("no statistics of 2 tensors (first token_embd.weight)", said)
        self.assertIn("statistics of blk.0.attn_qkv.weight that the model hasn't", said)

    def test_refuses_statistics_of_another_size_and_methods_without_search(self):
        write_dat(self.folder / "wrong.dat", {**self.means, "blk.1.attn_k.weight": np.ones(64, np.float32)}, 2)
        for options, words in [(["--statistics", "wrong.dat"], "expected 256 columns, found 64"),
                               (["--statistics", "imatrix.dat", "--method", "nearest"], "takes none"),
                               (["--statistics", "config.json"], "config.json")]:  # fmt: skip
            options[1] = self.folder / options[1]
            done = run("quantize", self.folder, "--to", f"gguf:q4_0={self.folder / 'no.gguf'}", *options)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertFalse((self.folder / "no.gguf").exists())


if __name__ == "__main__":
    PROGRAM = pathlib.Path(sys.argv[1]).resolve()
    unittest.main(argv=sys.argv[:1])
