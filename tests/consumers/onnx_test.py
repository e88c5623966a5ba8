"""What ONNX Runtime computes from our graphs, beside our engine.

For every architecture and grid: onnx.checker finds nothing, and the logits of 100 tokens, the last 32 of
them one by one through the cache, are the engine's within the bound that engine_test.py derives. The
engine reads the same codes from the same folder; that these are the codes the weights were given is shown
by the error of what is read back, which is the one reported. Prints a table.

ONNX Runtime rounds what experts of 8 bits read to 8 bits, unless QNBIT_GEMM says otherwise: then it computes in FP32 as it does
with everything else, from the same bytes.

    python onnx_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    import onnx
    from safetensors.numpy import load_file

    from onnx_runtime import Decoder
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from beside_engine import engine, make_model, refusal, share_of_bound, share_one_by_one, some_ids
from consumer import PROGRAM, SHARED, SOURCE, quantize
from engine_test import bound
from engine_test import REAL as ENGINE_REAL
from make_random_models import random_weights
from random_models import QWEN3_MOE, save_model

# Grid -> what the runtime computes with, as the folder read back says.
GRIDS = {
    "fp32": "fp32",
    "fp16": "fp16",
    "int8:g32:zero": "uint8:g32:zero:s32",
    "int4:g32:sym": "uint4:g32:sym:s32",
    "int4:g32": "uint4:g32:zero:s32",
    "nf4:g32": "nf4:g32",
    "int2:g16": "uint2:g16:zero:s32",
}
# Other groups and types of scales, and signs, on one model.
MORE_GRIDS = {
    "bf16": "bf16",
    "uint4:g64": "uint4:g64:zero:s32",
    "uint8:g16:restricted": "uint8:g16:sym:s32",
    "int4:g64:zero:s16": "uint4:g64:zero:s16",
    "int8:g64:sym:sbf16": "uint8:g64:sym:sbf16",
    "fp4:g64": "fp4:g64",
}
RANDOM = [
    "llama", "llama_biases", "llama_llama3", "llama_yarn", "mistral_window", "qwen2", "qwen3", "gemma2", "gpt2",
    "gpt2_untied", "odd_heads", "phi", "phi3_tied_partial", "phi3_short", "phi3_long", "glm4", "hunyuan", "ministral3",
    "gemma3_new", "smollm3", "granite", "olmo3_yarn",
]  # fmt: skip
EXPERTS = [
    "qwen3_moe", "qwen3_moe_mixed", "mixtral", "mixtral_window", "glm4_moe", "glm4_moe_groups", "phimoe", "phimoe_long",
]  # fmt: skip
EXPERT_GRIDS = {
    "fp32": "fp32",
    "bf16": "bf16",
    "int4:g32": "uint4:g32:zero:s32",
    "int4:g16:sym": "uint4:g16:sym:s32",
    "uint4:g32:restricted:s16": "uint4:g32:sym:s16",
    "int8:g32:sym": "uint8:g32:sym:s32",
    "int8:g16": "uint8:g16:zero:s32",
}
WIDE_GRIDS = {
    f"int{bits}:g{group}:{offset}": f"uint{bits}:g{group}:{offset}:s32"
    for bits, group, offset in [(4, 64, "sym"), (4, 128, "zero"), (4, 256, "zero"), (8, 64, "zero"), (8, 128, "sym"), (8, 256, "zero")]
}
QNBIT_GEMM = "ORT_QMOE_CPU_QNBIT_GEMM"
DEMO = SOURCE / "models/demo"
REAL = [*ENGINE_REAL, SHARED / "models/micro-lm-gpt2"]


@contextlib.contextmanager
def exact_experts():
    os.environ[QNBIT_GEMM] = "0"
    yield
    del os.environ[QNBIT_GEMM]


class OnnxTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def random(self, name):
        return make_model(self.folder / "models", name)

    def export(self, model, grids):
        """grid -> folder, and what the program says of each."""
        folders = {grid: self.folder / model.name / grid.replace(":", "-") for grid in grids}
        (self.folder / model.name).mkdir()
        reports = quantize(model, {folders[g]: f"onnx:{g}" for g in grids}, "--method", "nearest")
        return folders, {g: reports[folders[g]] for g in grids}

    def compare(self, folder, reference, ids):
        """The largest difference, as a share of the bound."""
        onnx.checker.check_model(str(folder / "model.onnx"), full_check=True)
        share = share_one_by_one(Decoder(folder), reference, ids)
        self.assertLess(share, 1)
        return share

    def off(self, folder, ids):
        """The largest difference from the engine, as a share of the bound."""
        return share_of_bound(Decoder(folder).logits(ids, len(ids)), folder, ids)

    def check_model(self, model, grids):
        folders, reports = self.export(model, grids)
        ids = some_ids(model)
        cells = []
        for grid, stored in grids.items():
            with self.subTest(model=model.name, grid=grid):
                # The source itself is what FP32 is compared with.
                reference = model if grid == "fp32" else folders[grid]
                cells.append(self.compare(folders[grid], reference, ids))
                run = subprocess.run([PROGRAM, "inspect", folders[grid], "--json"], capture_output=True, check=True)
                found = json.loads(run.stdout)
                self.assertEqual(found["problems"], [])
                said = {t["name"]: t["grid"] for t in reports[grid]["tensors"]}
                for t in found["tensors"]:
                    self.assertEqual(t["grid"], stored if said[t["name"]] != "fp32" else "fp32", t["name"])
                self.assertEqual(set(said), {t["name"] for t in found["tensors"]})
        print(f"{model.name:24}" + "".join(f"{cell:16.3f}" for cell in cells))

    def test_architectures(self):
        models = [self.random(name) for name in RANDOM] + [m for m in REAL if (m / "config.json").exists()]
        print("largest difference from the engine, as a share of the bound")
        print(f"{'':24}" + "".join(f"{grid:>16}" for grid in GRIDS))
        for model in models:
            self.check_model(model, GRIDS)

    def test_groups_scales_and_signs(self):
        print(f"{'':24}" + "".join(f"{grid[:15]:>16}" for grid in MORE_GRIDS))
        self.check_model(self.random("qwen2"), MORE_GRIDS)

    def test_experts(self):
        print(f"{'':24}" + "".join(f"{grid[:15]:>16}" for grid in EXPERT_GRIDS))
        with exact_experts():
            for name in EXPERTS:
                self.check_model(self.random(name), EXPERT_GRIDS)

    def test_experts_of_wide_groups(self):
        config = {**QWEN3_MOE, "hidden_size": 256, "moe_intermediate_size": 512, "num_hidden_layers": 1}
        model = save_model(self.folder / "models/wide", config, random_weights(config, seed=2))
        print(f"{'':24}" + "".join(f"{grid[:15]:>16}" for grid in WIDE_GRIDS))
        with exact_experts():
            self.check_model(model, WIDE_GRIDS)

    def test_rounded_inputs_of_experts_are_said(self):
        model = self.random("qwen3_moe")
        folders, reports = self.export(model, ["int4:g32:sym", "int8:g32:sym"])
        ids = some_ids(model)
        self.assertEqual(reports["int4:g32:sym"]["notes"], [])
        self.assertLess(self.off(folders["int4:g32:sym"], ids), 1)
        (said,) = reports["int8:g32:sym"]["notes"]
        self.assertIn("rounds what experts of 8 bits read", said)
        self.assertGreater(self.off(folders["int8:g32:sym"], ids), 1)

    def test_experts_of_a_budget(self):
        """A layer's are on one grid."""
        model = self.random("qwen3_moe")
        text = ["--calibrate", DEMO / "heldout.txt", "--tokens", "512", "--context", "128"]
        out = self.folder / "budget"
        (report,) = quantize(model, {out: "onnx"}, "--fit", "5bpw", "--method", "mse", *text).values()
        grids = {}
        for tensor in report["tensors"]:
            if "expert" in tensor:
                grids.setdefault(tensor["name"].split(".")[2], set()).add(tensor["grid"])
        self.assertEqual([len(of_layer) for of_layer in grids.values()], [1] * len(grids))
        with exact_experts():
            self.compare(out, out, some_ids(model))

    def test_refuses_experts_by_name(self):
        model, out = self.random("qwen3_moe"), self.folder / "out"
        cases = {
            "two bits": (["--to", f"onnx:int2:g32={out}"], "--set gate,up,down to one of these"),
            "a codebook": (["--to", f"genai:nf4:g32={out}"], "--set gate,up,down to one of these"),
            "another grid for some": (
                ["--to", f"onnx:int4:g32={out}", "--set", "down=int8:g32"],
                "experts of one layer on different grids",
            ),
        }
        for name, (arguments, said) in cases.items():
            with self.subTest(name):
                code, message = refusal(model, *arguments)
                self.assertEqual((code, message.count("\n")), (1, 1), message)
                self.assertIn(said, message)
        with self.subTest("as it says to"):
            code, message = refusal(model, "--to", f"onnx:int2:g32={out}", "--set", "gate,up,down=int4:g32")
            self.assertEqual(code, 0, message)
        with self.subTest("another activation"):
            config = json.loads((model / "config.json").read_text())
            (model / "config.json").write_text(json.dumps({**config, "hidden_act": "gelu"}))
            code, message = refusal(model, "--to", f"onnx={self.folder / 'gelu'}")
            self.assertEqual((code, message.count("\n")), (1, 1), message)
            self.assertIn("experts of another activation", message)

    def test_grids_of_a_budget(self):
        """Grids of two bits beside others, tensor by tensor."""
        text = ["--calibrate", DEMO / "heldout.txt", "--tokens", "512", "--context", "128"]
        out = self.folder / "budget"
        (report,) = quantize(DEMO, {out: "onnx"}, "--fit", "3bpw", "--method", "mse", *text).values()
        bits = {t["grid"].partition(":")[0] for t in report["fit"]["tensors"]}
        self.assertLessEqual({"int2", "int4"}, bits)
        self.compare(out, out, some_ids(DEMO))

    def test_codes_are_those_of_the_weights(self):
        """In decibels, of every tensor: what was reported against what is read back."""
        self.check_codes(self.random("phi"), {**GRIDS, **MORE_GRIDS})
        self.check_codes(self.random("qwen3_moe"), EXPERT_GRIDS)

    def check_codes(self, model, grids):
        folders, reports = self.export(model, grids)
        source = load_file(model / "model.safetensors")
        for grid in grids:
            back = self.folder / f"back-{model.name}-{grid.replace(':', '-')}"
            quantize(folders[grid], {back: "hf:fp32"})
            values = load_file(back / "model.safetensors")
            for tensor in reports[grid]["tensors"]:
                # An expert's matrix, which lies beside others', is one alone there.
                name = tensor["name"].replace("switch_mlp", f"experts.{tensor.get('expert')}")
                with self.subTest(grid=grid, tensor=name):
                    exact = source[name].astype(np.float64)
                    noise = ((values[name] - exact) ** 2).sum()
                    if tensor["sqnr_db"] is None:
                        self.assertEqual(noise, 0)
                    else:
                        decibels = 10 * np.log10((exact**2).sum() / noise)
                        self.assertAlmostEqual(tensor["sqnr_db"], decibels, places=4)

    def test_longrope_takes_the_short_factors_for_short_sequences(self):
        model = self.random("phi3_long")  # whose factors change beyond 8 tokens
        folders, _ = self.export(model, ["fp32"])
        for count in (8, 9):
            ids = some_ids(model)[:count]
            found = Decoder(folders["fp32"]).logits(ids, count)
            limit = bound(model, count, np.abs(found).max())
            self.assertLess(np.abs(engine(model, ids) - found).max(), limit, count)

    def test_parts_in_floating_point(self):
        model = self.random("llama")
        ids = some_ids(model)
        for number, parts in enumerate((["head=fp32", "embedding=fp16"], ["layers.0.*=int8:g32"], ["down=bf16"])):
            out = self.folder / f"out{number}"
            options = [word for part in parts for word in ("--set", part)]
            quantize(model, {out: "onnx:int4:g32"}, "--method", "nearest", *options)
            with self.subTest(parts=parts):
                self.compare(out, out, ids)

    def test_sequences_of_a_batch(self):
        model = self.random("llama")
        folders, _ = self.export(model, ["fp32"])
        decoder = Decoder(folders["fp32"])
        ids = np.array(some_ids(model)).reshape(2, -1)
        logits, _ = decoder.step(ids, decoder.empty_cache(2), [50, 30])
        for row, length in enumerate((50, 30)):
            alone = decoder.logits(ids[row, :length].tolist(), length)
            limit = bound(model, length, np.abs(alone).max())
            self.assertLess(np.abs(logits[row, :length] - alone).max(), limit)

    def test_large_tensors_begin_on_pages(self):
        model = self.random("llama_tied")
        folders, reports = self.export(model, ["int4:g32"])
        graph = onnx.load(folders["int4:g32"] / "model.onnx", load_external_data=False)
        self.assertEqual(graph.ir_version, 10)
        self.assertEqual({s.domain: s.version for s in graph.opset_import}, {"": 21, "com.microsoft": 1})
        data = (folders["int4:g32"] / "model.onnx.data").stat().st_size
        places = {}
        for tensor in graph.graph.initializer:
            place = {entry.key: entry.value for entry in tensor.external_data}
            if not place:
                continue
            offset, length = int(place["offset"]), int(place["length"])
            self.assertEqual(offset % (4096 if length >= 4096 else 64), 0, tensor.name)
            self.assertLessEqual(offset + length, data)
            places.setdefault((offset, length), []).append(tensor.name)
        shared = [sorted(names) for names in places.values() if len(names) > 1]
        self.assertEqual(shared, [["model.embed_tokens.head.weight", "model.embed_tokens.weight"]])
        ends = sorted((offset, offset + length) for offset, length in places)
        for (_, end), (begin, _) in zip(ends, ends[1:]):
            self.assertLessEqual(end, begin)

    def test_refuses_in_one_line(self):
        model = self.random("llama")
        out = self.folder / "out"
        taken = self.folder / "taken"
        taken.mkdir()
        cases = {
            "q4_0": ("onnx:q4_0", "ONNX Runtime computes with"),
            "int5": ("onnx:int5:g32", "ONNX Runtime computes with"),
            "a group that is no power of two": ("onnx:int4:g48", "ONNX Runtime computes with"),
            "a float minimum": ("onnx:int4:g32:min", "ONNX Runtime computes with"),
            "whole rows": ("onnx:int8:channel", "ONNX Runtime computes with"),
        }
        for name, (target, said) in cases.items():
            with self.subTest(name):
                code, message = refusal(model, "--to", f"{target}={out}")
                self.assertEqual(code, 1)
                self.assertIn(said, message)
                self.assertEqual(message.count("\n"), 1, message)
        with self.subTest("rows that blocks don't divide, asked for by name"):
            code, message = refusal(model, "--to", f"onnx:int4:g32={out}", "--set", "down=int4:g256")
            self.assertEqual(code, 1)
            self.assertIn("96 columns are no multiple of 256", message)
        with self.subTest("something is there"):
            code, message = refusal(model, "--to", f"onnx={taken}")
            self.assertEqual((code, message.count("\n")), (1, 1))
            self.assertIn("already exists", message)
        with self.subTest("two of one name"):
            code, message = refusal(model, "--to", f"onnx={out}", "--to", f"genai={out}")
            self.assertEqual((code, message.count("\n")), (1, 1))
            self.assertIn("same path", message)
        self.assertEqual({p.name for p in self.folder.iterdir()}, {"models", "taken"})

    def test_only_the_graph_that_was_written_is_read(self):
        """Edited with onnx's own tools, as people do; saved by them unchanged it is the same graph."""
        model = self.random("gemma2")
        folders, _ = self.export(model, ["int4:g32"])
        path = folders["int4:g32"] / "model.onnx"
        written = path.read_bytes()

        def node(graph, op):
            return next(n for n in graph.node if n.op_type == op)

        def attribute(graph, op, name, value):
            edited = node(graph, op)
            kept = [a for a in edited.attribute if a.name != name]
            del edited.attribute[:]
            edited.attribute.extend([*kept, onnx.helper.make_attribute(name, value)])

        edits = {
            "attention's scale": lambda g: attribute(g, "GroupQueryAttention", "scale", 0.5),
            "a window": lambda g: attribute(g, "GroupQueryAttention", "local_window_size", 3),
            "an operation": lambda g: setattr(node(g, "Tanh"), "op_type", "Sin"),
            "a node less": lambda g: g.node.remove(node(g, "Tanh")),
            "a node more": lambda g: g.node.append(onnx.helper.make_node("Mul", ["logits", "logits"], ["more"])),
            "an output's name": lambda g: setattr(g.output[0], "name", "scores"),
            "a constant": lambda g: setattr(next(t for t in g.initializer if t.raw_data), "raw_data", b"\x7f" * 4),
        }
        code, message = refusal(path.parent, "--to", f"hf:fp32={self.folder / 'same'}")
        self.assertEqual(code, 0, message)
        graph = onnx.load(path, load_external_data=False)
        onnx.save(graph, path)
        code, message = refusal(path.parent, "--to", f"hf:fp32={self.folder / 'saved'}")
        self.assertEqual(code, 0, message)
        for name, edit in edits.items():
            with self.subTest(name):
                graph = onnx.load_from_string(written)
                edit(graph.graph)
                path.write_bytes(graph.SerializeToString())
                code, message = refusal(path.parent, "--to", f"hf:fp32={self.folder / 'out'}")
                self.assertEqual((code, message.count("\n")), (1, 1), message)
                self.assertIn("the graph doesn't compute what config.json says", message)
        with self.subTest("the config instead"):
            path.write_bytes(written)
            config = path.parent / "config.json"
            config.write_text(json.dumps({**json.loads(config.read_text()), "rms_norm_eps": 1e-3}))
            code, message = refusal(path.parent, "--to", f"hf:fp32={self.folder / 'out'}")
            self.assertEqual((code, message.count("\n")), (1, 1), message)
            self.assertIn("epsilon", message)
        with self.subTest("another program's"):
            graph = onnx.load_from_string(written)
            graph.producer_name = "pytorch"
            path.write_bytes(graph.SerializeToString())
            code, message = refusal(path.parent, "--to", f"hf:fp32={self.folder / 'out'}")
            self.assertEqual((code, message.count("\n")), (1, 1), message)
            self.assertIn('one of "pytorch"', message)

    def test_rows_that_groups_do_not_divide_stay_floating(self):
        model = self.random("gemma2_scaled")  # of 64 columns at most
        _, reports = self.export(model, ["int4:g256"])
        self.assertEqual({t["grid"] for t in reports["int4:g256"]["tensors"]}, {"fp32"})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
