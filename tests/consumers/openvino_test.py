"""What OpenVINO computes from our graphs, beside our engine.

For every architecture and grid the logits of 100 tokens, the last 32 of them one by one with the caches that
the graph keeps, are the engine's within the bound that engine_test.py derives. The engine reads a folder of
the values that the graph's constants stand for, which OpenVINO itself computes; that these are the codes the
weights were given is shown by their error, which is the one reported. Prints a table.

    python openvino_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with
"""

import collections
import json
import pathlib
import sys
import tempfile
import unittest

try:
    import numpy as np
    import openvino as ov
    from safetensors.numpy import load_file

    from openvino_runtime import Decoder, checkpoint_name, checkpoint_values, paged_windows, values_of
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from beside_engine import engine, make_model, refusal, share_one_by_one, some_ids
from consumer import SHARED, SOURCE, quantize
from engine_test import bound
from engine_test import REAL as ENGINE_REAL
from random_models import MODELS

REFUSED = {
    "num_experts", "num_local_experts", "n_routed_experts", "conv_L_cache", "linear_num_value_heads", "num_kv_shared_layers",
    "mamba_d_conv", "conv_kernel",
}  # fmt: skip
# One has 46 layers, the same as others.
DENSE = [name for name, (config, _) in MODELS.items() if not REFUSED & config.keys() and name != "gemma2_scaled"]
# Of all architectures, and of a few that use weights in each way.
TWO_GRIDS = ["fp32", "int4:g32"]
FEW = ["llama_tied", "qwen2", "gpt2"]
GRIDS = [
    "fp16", "bf16", "int8:channel", "int4:g32:sym", "nf4:g32", "int4:g16:zero:s32", "uint4:g64:sym:sbf16", "uint4:channel", "int2:g32",
    "int8:g32:restricted", "int8:channel:sym:s32", "mxfp4", "mxfp8", "nvfp4",
]  # fmt: skip
DEMO = SOURCE / "models/demo"
REAL = [*ENGINE_REAL, SHARED / "models/micro-lm-gpt2"]


class OpenVinoTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def random(self, name):
        return make_model(self.folder / "models", name)

    def export(self, model, grids, *options):
        """grid -> folder, and what the program says of each."""
        folders = {grid: self.folder / model.name / grid.replace(":", "-") for grid in grids}
        (self.folder / model.name).mkdir(exist_ok=True)
        targets = {folders[g]: f"openvino:{g}" for g in grids}
        reports = quantize(model, targets, "--method", "nearest", *options)
        return folders, {g: reports[folders[g]] for g in grids}

    def compare(self, decoder, reference, ids):
        """The largest difference, as a share of the bound."""
        share = share_one_by_one(decoder, reference, ids)
        self.assertLess(share, 1)
        return share

    def check_model(self, model, grids):
        folders, _ = self.export(model, grids)
        ids = some_ids(model)
        cells = []
        for grid in grids:
            with self.subTest(model=model.name, grid=grid):
                # The source itself is what FP32 is compared with.
                reference = model if grid == "fp32" else values_of(folders[grid], model)
                cells.append(self.compare(Decoder(folders[grid]), reference, ids))
        print(f"{model.name:24}" + "".join(f"{cell:11.3f}" for cell in cells))

    def check_models(self, models, grids):
        print("largest difference from the engine, as a share of the bound")
        print(f"{'':24}" + "".join(f"{grid[:10]:>11}" for grid in grids))
        for model in models:
            self.check_model(model, grids)

    def test_architectures(self):
        models = [self.random(name) for name in [*DENSE, "odd_heads"]]
        self.check_models(models + [m for m in REAL if (m / "config.json").exists()], TWO_GRIDS)

    def test_grids(self):
        self.check_models([self.random(name) for name in FEW], GRIDS)

    def test_codes_are_those_of_the_weights(self):
        """In decibels, of every tensor: what was reported against what the constants stand for."""
        for name in ("phi", "gpt2"):
            model = self.random(name)
            folders, reports = self.export(model, [*TWO_GRIDS, *GRIDS])
            source = load_file(model / "model.safetensors")
            for grid, folder in folders.items():
                values = checkpoint_values(folder)
                self.assertEqual(set(values), set(source))
                for tensor in reports[grid]["tensors"]:
                    tensor_name = checkpoint_name(tensor["name"])
                    with self.subTest(grid=grid, tensor=tensor_name):
                        exact = source[tensor_name].astype(np.float64)
                        noise = ((values[tensor_name] - exact) ** 2).sum()
                        if tensor["sqnr_db"] is None:
                            self.assertEqual(noise, 0)
                        else:
                            decibels = 10 * np.log10((exact**2).sum() / noise)
                            self.assertAlmostEqual(tensor["sqnr_db"], decibels, places=4)

    def test_what_is_written_is_read_as_openvino_reads_it(self):
        """To the bit, and a judge of ours takes the folder for the model it is."""
        folders, _ = self.export(DEMO, [*TWO_GRIDS, *GRIDS])
        for grid, folder in folders.items():
            with self.subTest(grid):
                read = folder.with_name(folder.name + "-read")
                quantize(folder, {read: "hf:fp32"})
                found, expected = load_file(read / "model.safetensors"), checkpoint_values(folder)
                self.assertEqual(found.keys(), expected.keys())
                for name, values in expected.items():
                    np.testing.assert_array_equal(found[name], values.reshape(found[name].shape), name)

    def test_accuracy_is_asked_for_in_the_graph(self):
        """A program that asks for nothing itself (but FP32, which some processors don't take by default) gets it."""
        model = self.random("llama_tied")
        own = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": "1"}
        folders, _ = self.export(model, ["int4:g32"], "--accurate")
        decoder = Decoder(folders["int4:g32"], own)
        asked = {name: decoder.compiled.get_property(name) for name in ("DYNAMIC_QUANTIZATION_GROUP_SIZE", "KV_CACHE_PRECISION")}
        self.assertEqual(asked, {"DYNAMIC_QUANTIZATION_GROUP_SIZE": 0, "KV_CACHE_PRECISION": ov.Type.f32})
        self.compare(decoder, values_of(folders["int4:g32"], model), some_ids(model))

    def test_multiplies_by_codes(self):
        """No weight becomes FP32 while the runtime loads; rotation, norms and attention are single operations."""
        grids = {"fp16": "f16", "bf16": "bf16", "int8:channel": "u8", "int4:g64": "u4", "int4:g32:sym": "i4", "nf4:g64": "nf4", "int2:g64": "u2"}
        folders, _ = self.export(DEMO, grids)
        for grid, folder in folders.items():
            with self.subTest(grid):
                operations = Decoder(folder).operations()
                kinds = collections.Counter(operation["layerType"] for operation in operations)
                linears = [o["runtimePrecision"] for o in operations if o["layerType"] == "FullyConnected"]
                self.assertEqual(linears.count(grids[grid]), 4 * 7 + (grid in ("fp16", "bf16", "int8:channel")))
                self.assertEqual(len(linears), 4 * 7 + 1)
                self.assertNotIn("f32", linears)
                wanted = {"ScaledDotProductAttention": 4, "RoPE": 8, "RMS": 9}
                self.assertEqual({kind: kinds[kind] for kind in wanted}, wanted)

    def test_says_of_its_weights_what_nncf_does(self):
        """Where programs look for it: NNCF's words for the layers' codes, and how many share a scale."""
        grids = {"fp16": None, "int8:channel": ("int8_asym", -1), "int4:g64": ("int4_asym", 64), "int4:g32:sym": ("int4_sym", 32)}
        folders, _ = self.export(DEMO, grids)
        for grid, said in grids.items():
            with self.subTest(grid):
                graph = ov.Core().read_model(folders[grid] / "openvino_model.xml")
                path = ["nncf", "weight_compression"]
                self.assertEqual(graph.has_rt_info(path), said is not None)
                if said:
                    found = graph.get_rt_info([*path, "mode"]).astype(str), graph.get_rt_info([*path, "group_size"]).astype(int)
                    self.assertEqual(found, said)

    def test_windows_survive_where_attention_is_paged(self):
        """The runtime finds them by the form of the mask, and where it doesn't it takes none without a word."""
        expected = {"llama": [0, 0], "mistral_window": [12, 12], "gemma3_new": [*[16] * 5, 0, 16], "olmo3": [16, 16, 16, 0, 16]}
        for name, windows in expected.items():
            with self.subTest(name):
                folders, _ = self.export(self.random(name), ["fp32"])
                self.assertEqual(paged_windows(folders["fp32"]), windows)

    def test_sequences_of_a_batch(self):
        """Padded on the left, as the generation library pads, and on the right; then each from the other's caches."""
        model = self.random("mistral_window")
        folders, _ = self.export(model, ["fp32"])
        decoder = Decoder(folders["fp32"])
        ids = np.array(some_ids(model)).reshape(2, -1)
        for side in ("left", "right"):
            mask = np.ones(ids.shape, np.int64)
            rows = slice(20, 50) if side == "left" else slice(0, 30)
            mask[1] = 0
            mask[1, rows] = 1
            decoder.start()
            logits = decoder.step(ids, mask)
            for row, part in ((0, slice(0, 50)), (1, rows)):
                alone = engine(model, ids[row, part].tolist())
                limit = bound(model, 50, np.abs(alone).max())
                self.assertLess(np.abs(logits[row, part] - alone).max(), limit, side)
        decoder.start()
        decoder.step(ids)
        swapped = decoder.step(np.array([[3], [4]]), beams=[1, 0])
        for row, last in ((0, 3), (1, 4)):
            alone = engine(model, [*ids[1 - row].tolist(), last])[-1]
            self.assertLess(np.abs(swapped[row, 0] - alone).max(), bound(model, 51, np.abs(alone).max()))

    def test_longrope_takes_the_short_factors_for_short_sequences(self):
        model = self.random("phi3_long")  # whose factors change beyond 8 tokens
        folders, _ = self.export(model, ["fp32"])
        for count in (8, 9):
            ids = some_ids(model)[:count]
            found = Decoder(folders["fp32"]).logits(ids, count)
            limit = bound(model, count, np.abs(found).max())
            self.assertLess(np.abs(engine(model, ids) - found).max(), limit, count)

    def test_parts_on_grids_of_their_own(self):
        model = self.random("llama")
        ids = some_ids(model)
        for number, parts in enumerate((["head=fp32", "embedding=fp16"], ["embedding=int4:g32", "head=nf4:g32"], ["down=bf16"])):
            options = [word for part in parts for word in ("--set", part)]
            out = self.folder / f"out{number}"
            quantize(model, {out: "openvino:int4:g32"}, "--method", "nearest", *options)
            with self.subTest(parts=parts):
                self.compare(Decoder(out), values_of(out, model), ids)

    def test_default_grid(self):
        """Four bits, but eight for the embedding and the head, and where groups don't divide rows."""
        _, reports = self.export(DEMO, ["int4"])
        found = {t["name"]: t["grid"] for t in reports["int4"]["tensors"]}
        self.assertEqual(found["model.embed_tokens.weight"], "int8:channel:zero:s16")
        self.assertEqual(found["model.layers.0.mlp.down_proj.weight"], "int4:g128:zero:s16")
        _, reports = self.export(self.random("llama"), ["int4"])  # rows of 64 and 96
        grids = {t["grid"] for t in reports["int4"]["tensors"]}
        self.assertEqual(grids, {"int8:channel:zero:s16", "fp32"})

    def test_refuses_in_one_line(self):
        model = self.random("llama")
        out = self.folder / "out"
        cases = {
            "q4_0": (model, ["--to", f"openvino:q4_0={out}"], "OpenVINO computes with"),
            "int6": (model, ["--to", f"openvino:int6:g32={out}"], "OpenVINO computes with"),
            "an embedding of 2 bits": (model, ["--to", f"openvino={out}", "--set", "embedding=int2:g32"], "rows that are looked up have 4 bits"),
            "int5": (model, ["--to", f"openvino:int5:g32={out}"], "OpenVINO computes with"),
            "a float minimum": (model, ["--to", f"openvino:int4:g32:min={out}"], "OpenVINO computes with"),
            "experts": (self.random("mixtral"), ["--to", f"openvino:int8={out}"], "experts are not written for this runtime"),
            "short convolutions": (self.random("lfm2"), ["--to", f"openvino:int8={out}"], "short convolutions are not written for this runtime"),
            "a norm by name": (model, ["--to", f"openvino={out}", "--set", "output_norm=int8:channel"], "stay in floating point"),
        }
        for name, (source, options, said) in cases.items():
            with self.subTest(name):
                code, message = refusal(source, *options)
                self.assertEqual((code, message.count("\n")), (1, 1), message)
                self.assertIn(said, message)
        self.assertEqual({p.name for p in self.folder.iterdir()}, {"models"})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
