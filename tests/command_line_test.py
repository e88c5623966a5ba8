"""The program as people and scripts use it: exit codes, messages, JSON, files.

    python3 command_line_test.py PROGRAM        standard library only
"""

import hashlib
import json
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from random_models import MODELS, PlainDraw, draw_model, save_model
from tiny_model import make_tiny_model

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
DEMO = pathlib.Path(__file__).resolve().parent.parent / "models/demo"
TARGETS = ["gguf", "gguf:iq3_m", "gguf:fp32", "gguf:fp16", "gguf:bf16", "gguf:q8_0", "gguf:q4_0", "gguf:q4_1", "gguf:q5_0",
           "gguf:q5_1", "gguf:iq4_nl", "mlx:int4:g64", "mlx:int8:g32", "hf:fp16"]  # fmt: skip
LISTS = ["dtypes", "grids", "bridges", "mixtures", "methods", "rewrites", "containers", "sources", "architectures", "observers", "roles", "judges", "instruction-sets"]


def run(*arguments, **options):
    command = [PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def content(path):
    """Every file's name and hash, of a file or a folder."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return [(str(p.relative_to(path)), hashlib.sha256(p.read_bytes()).hexdigest()) for p in files]


def weights(path, output):
    """content() without what tells how it was made: a GGUF file's metadata, a folder's model card."""
    if path.is_dir():
        return [(name, hash) for name, hash in content(path) if name != "README.md"]
    return hashlib.sha256(path.read_bytes()[-sum(t["bytes"] for t in output["tensors"]) :]).hexdigest()


def tensors(file):
    """Of a safetensors file: name -> (dtype, bytes)."""
    data = file.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    begin = 8 + length
    return {n: (t["dtype"], data[begin + t["data_offsets"][0] : begin + t["data_offsets"][1]]) for n, t in header.items()}


def multiply(model, name, factor):
    """One tensor of a folder's FP32 file by a factor."""
    file = model / "model.safetensors"
    data = bytearray(file.read_bytes())
    _, old = tensors(file)[name]
    new = struct.pack(f"<{len(old) // 4}f", *(factor * x for x in struct.unpack(f"<{len(old) // 4}f", old)))
    data[data.index(old) : data.index(old) + len(old)] = new
    file.write_bytes(data)


def size(path):
    return sum(p.stat().st_size for p in ([path] if path.is_file() else path.rglob("*")) if p.is_file())


class CommandLineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.model = make_tiny_model(cls.folder / "model")
        cls.big_model = make_tiny_model(cls.folder / "big", hidden=512, ffn=1536, layers=6)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def out(self, name):
        """A path for an output, whose folder holds nothing else."""
        place = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        return place / name

    def quantize(self, target, path, *options):
        done = run("quantize", self.model, "--to", f"{target}={path}", "--json", *options)
        self.assertEqual(done.returncode, 0, f"{target}: {done.stderr}")
        return json.loads(done.stdout)

    def assertOneLine(self, done, code):
        shown = f"{done.args[1:]}\nstdout: {done.stdout}\nstderr: {done.stderr}"
        self.assertEqual(done.returncode, code, shown)
        self.assertEqual(done.stdout, "", shown)
        self.assertEqual(len(done.stderr.splitlines()), 1, shown)
        self.assertTrue(done.stderr.endswith("\n"), shown)

    def refused(self, code, says, *arguments):
        done = run(*arguments)
        self.assertOneLine(done, code)
        self.assertIn(says, done.stderr)

    def test_dry_run_says_the_exact_sizes_and_writes_nothing(self):
        for target in TARGETS:
            with self.subTest(target):
                path = self.out("x")
                (planned,) = self.quantize(target, path, "--dry-run")["outputs"]
                self.assertEqual(list(path.parent.iterdir()), [])
                (written,) = self.quantize(target, path)["outputs"]
                self.assertEqual(list(path.parent.iterdir()), [path])
                self.assertEqual(planned["bytes"], size(path))
                self.assertEqual(written["bytes"], size(path))
                for key in ["path", "container", "grid", "bytes", "bits_per_weight"]:
                    self.assertEqual(planned[key], written[key], key)
                for before, after in zip(planned["tensors"], written["tensors"], strict=True):
                    self.assertEqual(before, {key: after[key] for key in before})

    def test_a_mixture_is_shown_with_what_takes_the_place_of_its_grids(self):
        done = run("quantize", self.model, "--to", "gguf", "--dry-run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("model-q4_k_m.gguf", done.stdout)
        self.assertIn("128 columns are no multiple of 256, so not q4_k", done.stdout)
        done = run("quantize", self.big_model, "--to", "gguf", "--set", "layers.0.down=q8_0", "--dry-run", "--json")
        (planned,) = json.loads(done.stdout)["outputs"]
        grids = {t["name"]: t["grid"] for t in planned["tensors"]}
        self.assertEqual(planned["grid"], "q4_k_m")
        self.assertEqual([grids[f"blk.{i}.ffn_down.weight"] for i in range(6)], ["q8_0", "q4_k", "q6_k", "q4_k", "q4_k", "q6_k"])
        self.assertEqual([grids[f"blk.{i}.attn_v.weight"] for i in range(6)], ["q4_k", "q4_k", "q6_k", "q4_k", "q4_k", "q6_k"])

    def test_tensors_in_several_files(self):
        path = self.out("x").with_suffix(".gguf")
        common = ["quantize", self.model, "--to", f"gguf:q8_0={path}", "--split-size", "100K"]
        (planned,) = json.loads(run(*common, "--dry-run", "--json").stdout)["outputs"]
        self.assertEqual(list(path.parent.iterdir()), [])
        done = run(*common)
        self.assertEqual(done.returncode, 0, done.stderr)
        files = sorted(path.parent.iterdir())
        self.assertEqual(files[0].name, f"x-00001-of-{len(files):05d}.gguf")
        self.assertIn(f"{files[0]} and {len(files) - 1} files behind it", done.stdout)
        self.assertEqual((planned["path"], planned["bytes"]), (str(files[0]), sum(size(f) for f in files)))
        self.refused(1, "already exists", *common)
        self.assertEqual(run(*common, "--force").returncode, 0)
        files[1].unlink()
        self.refused(1, "shard missing", "quantize", files[0], "--to", f"hf={self.out('x')}")
        folder = self.out("x")
        run("quantize", self.model, "--to", f"hf:fp32={folder}", "--split-size", "300K", check=True)
        self.assertGreater(len(list(folder.glob("*.safetensors"))), 2)

    def test_a_size_for_what_is_one_file_is_refused(self):
        self.refused(2, "--split-size: not of onnx", "quantize", self.model, "--to", f"onnx={self.out('x')}", "--split-size", "1M")
        self.refused(2, "no size of a file", "quantize", self.model, "--to", "gguf:q8_0", "--split-size", "0")
        named = self.out("x").with_suffix(".bin")
        self.refused(1, "ends in .gguf", "quantize", self.model, "--to", f"gguf:q8_0={named}", "--split-size", "200K")

    def test_mixtures_are_listed_with_their_rules(self):
        listed = {row["name"]: row for row in json.loads(run("list", "mixtures", "--json").stdout)}
        self.assertIn("down q6_k", listed["q4_k_m"]["summary"])
        self.assertEqual(listed["q4_k_m"]["containers"], ["gguf"])

    def test_json_has_the_promised_keys(self):
        result = self.quantize("gguf:q4_0", self.out("x"))
        self.assertGreaterEqual(result.keys(), {"outputs", "parameters", "seconds", "peak_memory_bytes"})
        keys = {"path", "container", "grid", "fidelity", "bytes", "bits_per_weight", "tensors", "sqnr_db"}
        self.assertGreaterEqual(result["outputs"][0].keys(), keys)
        self.assertGreaterEqual(result["seconds"].keys(), {"read", "quantize", "write", "total"})
        self.assertEqual(result["outputs"][0]["fidelity"], "quantized")

    def test_same_bytes_from_every_number_of_threads_and_instruction_set(self):
        listed = json.loads(run("list", "instruction-sets", "--json").stdout)
        sets = [entry["name"] for entry in listed]
        self.assertTrue(sets)
        ways = [["--threads", n] for n in (1, 2, 7)] + [["--cpu", name] for name in sets]
        for target in TARGETS:
            first = None
            for way in ways:
                with self.subTest(target, way=way):
                    path = self.out("x")
                    self.quantize(target, path, *map(str, way))
                    first = first or content(path)
                    self.assertEqual(content(path), first)

    def calibration_text(self):
        path = self.folder / "calibration.txt"
        words = random.Random(3).choices(["lantern", "island", "sheep", "boat", "keeps", "red"], k=400)
        path.write_text(" ".join(words))
        return path

    def test_calibrated_bytes_are_the_same_from_every_number_of_threads_and_instruction_set(self):
        sets = [row["name"] for row in json.loads(run("list", "instruction-sets", "--json").stdout)]
        ways = [["--threads", n] for n in (1, 2, 7)] + [["--cpu", name] for name in sets]
        calibrate = ["--calibrate", self.calibration_text(), "--tokens", 512, "--context", 64]
        for target in ["gguf:q4_0", "mlx:int4:g64"]:
            plain = self.out("plain")
            self.quantize(target, plain)
            seen = [content(plain)]
            for method in ["gptq", "gptq:upstream=off", "gptq:order=on,damp=0.05"]:
                first = None
                for way in ways:
                    path = self.out("out")
                    report = self.quantize(target, path, *calibrate, "--method", method, *way)
                    self.assertGreater(report["seconds"]["calibrate"], 0)
                    first = first or content(path)
                    self.assertEqual(content(path), first, f"{target} {method} {way}")
                self.assertNotIn(first, seen, f"{target} {method}")
                seen.append(first)
            weighted = self.out("weighted")
            self.quantize(target, weighted, *calibrate, "--method", "mse")
            self.assertNotIn(content(weighted), seen)

    def test_several_calibrated_targets_are_the_files_of_one_each(self):
        calibrate = ["--calibrate", self.calibration_text(), "--tokens", 512, "--context", 64]
        kinds = ["gguf:q4_0", "gguf:q8_0", "mlx:int4:g32", "onnx:int4:g32", "genai:int4:g32", "openvino:int4:g32"]
        targets = {target: self.out(target) for target in kinds}
        to = [word for target, path in targets.items() for word in ("--to", f"{target}={path}")]
        run("quantize", self.model, *to, *calibrate, check=True)
        for target, path in targets.items():
            alone = self.out("alone")
            self.quantize(target, alone, *calibrate)
            self.assertEqual(content(path), content(alone), target)

    def test_calibration_goes_on_with_the_values_of_repacked_codes(self):
        calibrate = ["--calibrate", self.calibration_text(), "--tokens", 512, "--context", 64]
        weights = []
        for grid in ["int4:g32:sym", "uint4:g32:sym"]:  # the same values; the file has unsigned codes
            for more in [[], ["--resume", self.out("resume")]]:
                path = self.out("onnx")
                self.quantize(f"onnx:{grid}", path, *calibrate, *more)
                weights.append((path / "model.onnx.data").read_bytes())
        for other in weights[1:]:
            self.assertEqual(other, weights[0])

    def kept_tensors(self, target, model, exceptions, *options):
        """Of what is written, read again and made FP32: name -> bytes."""
        path, plain = self.out("x"), self.out("plain")
        calibrate = ["--calibrate", self.calibration_text(), "--tokens", 512, "--context", 64]
        sets = [word for exception in exceptions for word in ("--set", exception)]
        run("quantize", model, "--to", f"{target}={path}", *calibrate, *sets, *options, check=True)
        run("quantize", path, "--to", f"hf:fp32={plain}", check=True)
        return tensors(plain / "model.safetensors")

    def test_what_is_kept_in_a_float_type_is_kept_to_the_bit(self):
        tied = make_tiny_model(self.folder / "tied")
        config = json.loads((tied / "config.json").read_text())
        (tied / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": True}))
        rows = tensors(tied / "model.safetensors")["model.embed_tokens.weight"][1]
        head = tensors(tied / "model.safetensors")["lm_head.weight"][1]
        file = tied / "model.safetensors"
        file.write_bytes(file.read_bytes().replace(head, rows))
        kept = {"lm_head.weight": "bf16", "model.layers.0.mlp.down_proj.weight": "fp16", "model.layers.1.self_attn.q_proj.weight": "fp32"}
        exceptions = ["head=bf16", "layers.0.down=fp16", "layers.1.query=fp32"]
        for model in (self.model, tied):
            names = dict(kept) if model is self.model else {**kept, "model.embed_tokens.weight": "bf16"}
            rounded = {}
            for grid in set(names.values()):
                path, plain = self.out("x"), self.out("plain")
                run("quantize", model, "--to", f"hf:{grid}={path}", check=True)
                run("quantize", path, "--to", f"hf:fp32={plain}", check=True)
                rounded[grid] = tensors(plain / "model.safetensors")
            for target in ["gguf:q4_0", "mlx:int4:g64", "onnx:int4:g32", "genai:int4:g32", "hf:bf16"]:
                found = self.kept_tensors(target, model, exceptions)
                for name, grid in names.items():
                    if name in found:  # of a tied model one of the two
                        self.assertEqual(found[name], rounded[grid][name], f"{target} {name}")
                for name in found:  # norms are never touched
                    if "norm" in name:
                        self.assertEqual(found[name], rounded["bf16" if target == "hf:bf16" else "fp32"][name], f"{target} {name}")
        adjusted = self.kept_tensors("gguf:q4_0", tied, exceptions, "--method", "gptq:floats=adjust")
        self.assertNotEqual(adjusted["model.embed_tokens.weight"], rounded["bf16"]["model.embed_tokens.weight"])

    def test_weights_that_vanish_in_stored_types_are_said(self):
        model = make_tiny_model(self.folder / "faint")
        weaker = make_tiny_model(self.folder / "weaker")
        multiply(model, "model.layers.1.self_attn.v_proj.weight", 1e-8)
        multiply(weaker, "model.layers.1.self_attn.v_proj.weight", 1e-5)
        for source, grid, zeroed in [(model, "q8_0", True), (model, "q4_0", True), (weaker, "fp16", False)]:
            done = run("quantize", source, "--to", f"gguf:{grid}={self.out('x')}", "--json")
            (output,) = json.loads(done.stdout)["outputs"]
            (lost,) = output["too_small"]
            self.assertEqual(lost["name"], "blk.1.attn_v.weight")
            self.assertEqual(lost["zeroed_blocks"] == lost["blocks"], zeroed, lost)
            self.assertIn("--set 'value=bf16'", done.stderr)
            self.assertIn("--set 'value=bf16'", output["notes"][-1])
        output = self.quantize("gguf:q8_0", self.out("x"), "--set", "value=bf16")["outputs"][0]
        self.assertEqual(output["too_small"], [])
        done = run("quantize", model, "--to", f"gguf:q8_0={self.out('x')}", "--set", "value=bf16")
        self.assertNotIn("too small", done.stderr)

    def test_fallbacks_are_in_the_result_where_they_matter(self):
        narrow = make_tiny_model(self.folder / "narrow", hidden=64, ffn=192)
        for target, all_of_them in [("mlx:int4:g128", True), ("onnx:int4:g128", True), ("gguf:q4_k", True), ("mlx:int4:g64", False)]:
            for options in [[], ["--dry-run"]]:
                done = run("quantize", narrow, "--to", f"{target}={self.out('x')}", *options)
                self.assertEqual("required fallback" in done.stdout, all_of_them, done.stdout)
            output = json.loads(run("quantize", narrow, "--to", f"{target}={self.out('x')}", "--json").stdout)["outputs"][0]
            fallback = output["fallback"]
            self.assertEqual(fallback["tensors"], fallback["of"] if all_of_them else 0)
            self.assertEqual(fallback["share"], 1 if all_of_them else 0)
        self.assertIn("16 of 16 tensors required fallback: 64 columns are no multiple of 128",
                      run("quantize", narrow, "--to", f"mlx:int4:g128={self.out('x')}").stdout)

    def test_the_quality_shown_is_that_of_the_outputs_where_inputs_are_known(self):
        text = ["--calibrate", self.calibration_text(), "--tokens", 512, "--context", 64]
        for options, key, words in [([], None, "  SQNR "), (text, "output_sqnr_db", "  output SQNR "),
                                    ([*text, "--method", "mse"], "weighted_sqnr_db", "  weighted SQNR ")]:
            output = self.quantize("gguf:q4_0", self.out("x"), *options)["outputs"][0]
            found = {k for k in output if k.endswith("sqnr_db")}
            self.assertEqual(found, {"sqnr_db"} | ({key} if key else set()))
            by_name = {t["name"]: t for t in output["tensors"]}
            self.assertEqual({k for k in by_name["blk.0.ffn_up.weight"] if k.endswith("sqnr_db")}, found)
            self.assertEqual({k for k in by_name["blk.0.attn_norm.weight"] if k.endswith("sqnr_db")}, {"sqnr_db"})
            done = run("quantize", self.model, "--to", f"gguf:q4_0={self.out('x')}", "--verbose", *options)
            self.assertIn(words, done.stdout)
        # GPTQ: more of the weights' error, less of the outputs'.
        plain = self.quantize("gguf:q4_0", self.out("x"), *text, "--method", "gptq:upstream=off,sweeps=0,damp=1000000")["outputs"][0]
        gptq = self.quantize("gguf:q4_0", self.out("x"), *text, "--method", "gptq:upstream=off")["outputs"][0]
        self.assertGreater(plain["sqnr_db"], gptq["sqnr_db"])
        self.assertLess(plain["output_sqnr_db"], gptq["output_sqnr_db"])

    def calibrate(self, path, *options):
        done = run("calibrate", self.model, "--text", self.calibration_text(), "-o", path, "--tokens", 512, "--context", 64,
                   "--json", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_windows_held_out_tell_how_far_a_calibration_holds(self):
        text = ["--calibrate", self.calibration_text(), "--context", 64, "--tokens"]
        for method in ["mse", "gptq", "gptq:upstream=off"]:
            path = self.out("x")
            (output,) = self.quantize("gguf:q4_0", path, *text, 1024, "--method", method)["outputs"]
            held_out = output["held_out"]
            decibels = held_out["seen_output_sqnr_db"] - held_out["output_sqnr_db"]
            self.assertAlmostEqual(held_out["times"], 10 ** (decibels / 10))  # the same signal on both scales
            for tensor in output["tensors"]:
                has_inputs = len(tensor["shape"]) == 2 and tensor["name"] != "token_embd.weight"
                self.assertEqual("held_out" in tensor, has_inputs, tensor["name"])
        self.assertNotIn("held_out", self.quantize("gguf:q4_0", self.out("x"), *text, 960)["outputs"][0])
        for tokens, said in [(1024, True), (960, False)]:
            done = run("quantize", self.model, "--to", f"gguf:q4_0={self.out('x')}", *text, tokens)
            self.assertEqual("on text held out" in done.stdout, said)
        # A file of statistics is of the same windows.
        file = self.out("model.statistics")
        done = run("calibrate", self.model, "--text", self.calibration_text(), "-o", file, "--tokens", 1024, "--context", 64, "--json")
        self.assertEqual(json.loads(done.stdout)["tokens"], 960)
        of_file = self.out("x")
        (stored,) = self.quantize("gguf:q4_0", of_file, "--statistics", file, "--method", "gptq")["outputs"]
        self.assertEqual(weights(of_file, stored), weights(path, output))

    def test_a_statistics_file_gives_the_files_of_the_text_it_is_of(self):
        text = ["--calibrate", self.calibration_text(), "--tokens", 512, "--context", 64]
        file = self.out("model.statistics")
        found = self.calibrate(file)
        self.assertEqual((found["tokens"], found["bytes"]), (512, size(file)))
        for threads in (1, 7):
            other = self.out("other.statistics")
            self.calibrate(other, "--threads", threads)
            self.assertEqual(other.read_bytes(), file.read_bytes(), threads)
        for target in ["gguf:q4_0", "mlx:int4:g64"]:
            for method, from_text in [("gptq", "gptq:upstream=off"), ("gptq:damp=0.1", "gptq:upstream=off,damp=0.1"), ("mse", "mse")]:
                path, same = self.out("a"), self.out("b")
                (a,) = self.quantize(target, path, "--statistics", file, "--method", method)["outputs"]
                (b,) = self.quantize(target, same, *text, "--method", from_text)["outputs"]
                self.assertEqual(a["tensors"][0]["bytes"], b["tensors"][0]["bytes"])
                if method != "mse":  # moments summed in another order, one of them rounded
                    self.assertEqual(weights(path, a), weights(same, b), f"{target} {method}")

    def test_a_statistics_file_of_experts_gives_the_files_of_the_text_it_is_of(self):
        config, seed = MODELS["qwen3_moe"]
        model = save_model(self.folder / "experts", config, draw_model(PlainDraw(seed), config))
        text = ["--tokens", "128", "--context", "64"]
        files = {threads: self.out("model.statistics") for threads in (1, 7)}
        for threads, file in files.items():
            done = run("calibrate", model, "--text", self.calibration_text(), *text, "-o", file, "--threads", threads)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(files[1].read_bytes(), files[7].read_bytes())
        inputs = json.loads(run("inspect", files[1], "--json").stdout)["inputs"]
        for layer in range(config["num_hidden_layers"]):
            tokens = [i["tokens"] for i in inputs if (i["layer"], i["role"]) == (layer, "gate") and "expert" in i]
            self.assertEqual((len(tokens), sum(tokens)), (config["num_experts"], 128 * config["num_experts_per_tok"]))
        self.assertIn("gate of expert 5", run("inspect", files[1]).stdout)
        made = {}
        ways = {"file": ["--statistics", files[1], "--method", "gptq"],
                "text": ["--calibrate", self.calibration_text(), *text, "--method", "gptq:upstream=off"]}  # fmt: skip
        for target in ["gguf:q4_0", "mlx:int4:g32"]:
            for way, options in ways.items():
                path = self.out("x")
                done = run("quantize", model, "--to", f"{target}={path}", "--json", *options)
                self.assertEqual(done.returncode, 0, done.stderr)
                said = json.loads(done.stdout)
                made[way] = weights(path, said["outputs"][0]), said.get("few_tokens")
            self.assertEqual(made["file"], made["text"], target)
            self.assertTrue(made["file"][1], "experts that the text hardly reaches")

    def test_a_statistics_file_says_what_each_observer_would_choose(self):
        file = self.out("model.statistics")
        self.calibrate(file)
        done = run("inspect", file, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual((found["container"], found["tokens"], found["context"], found["bytes"]), ("statistics", 512, 64, size(file)))
        names = [row["name"] for row in json.loads(run("list", "observers", "--json").stdout)]
        self.assertEqual(names, ["min-max", "moving-average", "percentile", "mse", "entropy"])
        self.assertIn("head", [i["role"] for i in found["inputs"]])
        for given in found["inputs"]:
            low, high = given["range"]
            self.assertLess(low, high)
            self.assertEqual(given["rows"], 512)
            self.assertLessEqual(given["outlier_columns"], given["columns"])
            self.assertEqual(given["outlier_columns"] > 0, max(-low, high) >= 6)
            errors = {}
            for o in given["observers"]:
                self.assertLessEqual(low, o["range"][0])
                self.assertGreaterEqual(high, o["range"][1])
                self.assertGreater(o["scale"], 0)
                errors[o["observer"], o["grid"]] = o["mean_squared_error"]
                if o["observer"] == "min-max":
                    self.assertEqual(o["range"], given["range"])
            grids = ["int8:tensor:sym:s32", "int8:tensor:zero:s32"]
            self.assertEqual(set(errors), {(name, grid) for name in names for grid in grids})
            for (name, grid), error in errors.items():
                self.assertGreaterEqual(error, errors["mse", grid], name)
        done = run("inspect", file, "--threads", 7)
        self.assertEqual(done.stdout, run("inspect", file, "--threads", 1).stdout)
        for words in ["layer 0, query: ", "moving-average", "of them reach 6"]:
            self.assertIn(words, done.stdout)
        cut = self.out("cut")
        cut.write_bytes(file.read_bytes()[:-9])
        self.assertOneLine(run("inspect", cut), 1)

    def test_an_observer_cuts_weights_on_every_grid_the_same_from_every_number_of_threads(self):
        for target in ["gguf:q4_0", "mlx:int4:g64", "onnx:int8:g128"]:
            plain = self.out("x")
            (unobserved,) = self.quantize(target, plain, "--method", "nearest")["outputs"]
            for observer, same in [("min-max", True), ("percentile,percentile=99", False), ("entropy", False)]:
                first = None
                for threads in (1, 7):
                    path = self.out("x")
                    (output,) = self.quantize(target, path, "--method", f"nearest:observer={observer}", "--threads", threads)["outputs"]
                    first = first or content(path)
                    self.assertEqual(content(path), first)
                self.assertEqual(weights(path, output) == weights(plain, unobserved), same, f"{target} {observer}")
        for wrong, found in [("observer=mse", "--method mse"), ("observer=x", "unknown observer"), ("percentile=99", "observer=percentile"),
                             ("damp=1", "unknown option"), ("observer=moving-average", "batches")]:  # fmt: skip
            done = run("quantize", self.model, "--to", "gguf:q4_0", "--method", f"nearest:{wrong}")
            self.assertOneLine(done, 2)
            self.assertIn(found, done.stderr)

    def test_killed_at_any_moment_a_run_goes_on_to_the_same_files(self):
        text = self.calibration_text()
        chance = random.Random(11)

        def command(target, path, method, *options, tokens=256):
            return ["quantize", self.big_model, "--to", f"{target}={path}", "--calibrate", text, "--tokens", tokens, "--context", 64,
                    "--method", method, *options]  # fmt: skip

        for target, method, kills in [("gguf:q4_0", "gptq", 5), ("mlx:int4:g64", "gptq:upstream=off", 2)]:
            whole = self.out("whole")
            begin = time.monotonic()
            run(*command(target, whole, method), check=True)
            seconds = time.monotonic() - begin
            folder, path = self.out("resume"), self.out("out")
            kept, late = 0, False
            for _ in range(kills):
                again = command(target, path, method, "--resume", folder)
                with subprocess.Popen([PROGRAM, *map(str, again)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                    try:
                        process.wait(seconds * chance.uniform(0.2, 0.7))
                        break
                    except subprocess.TimeoutExpired:
                        process.kill()
                # Killed behind its last step, it left what it was asked for and had no time to tidy up.
                late = path.exists()
                if late:
                    break
                kept += (folder / "state").exists()
            self.assertGreater(kept, 0, "something was kept")
            if not path.exists():
                for other in [command(target, path, method + (",damp=0.3" if ":" in method else ":damp=0.3")), command(target, path, method, tokens=128)]:
                    done = run(*other, "--resume", folder)
                    self.assertOneLine(done, 1)
                    self.assertIn("of another run", done.stderr)
                done = run(*command(target, path, method, "--resume", folder))
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(content(path), content(whole), f"{target} {method}")
            self.assertTrue(late or not folder.exists(), "nothing is left of what was kept")

    def test_a_budget_is_kept_to_and_shown_the_same_from_every_number_of_threads(self):
        text = ["--calibrate", self.calibration_text(), "--tokens", 512, "--context", 64]
        for target in ["gguf", "mlx", "onnx"]:
            first = None
            for threads in (1, 3):
                path = self.out("fit")
                report = self.quantize(target, path, *text, "--method", "mse", "--fit", "6.5bpw", "--threads", threads)
                output = report["outputs"][0]
                self.assertLessEqual(output["bits_per_weight"], 6.5)
                self.assertTrue(output["fit"]["met"])
                self.assertEqual(output["bytes"], size(path))
                grids = {t["name"]: t["grid"] for t in output["fit"]["tensors"]}
                first = first or (content(path), grids)
                self.assertEqual((content(path), grids), first, f"{target} {threads}")
        limit = size(path) - 1000
        done = run("quantize", self.model, "--to", f"onnx={self.out('dry')}", *text, "--fit", limit, "--dry-run", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLessEqual(json.loads(done.stdout)["outputs"][0]["bytes"], limit)
        self.assertFalse(self.out("dry").exists())

    def test_a_limit_that_is_not_met_is_exit_code_3_and_the_best_is_written(self):
        text = ["--judge", self.calibration_text(), "--context", 64]
        for limit in [["--fit", "1bpw"], ["--max-kld", "1e-12"]]:
            path = self.out("best.gguf")
            done = run("quantize", self.model, "--to", f"gguf={path}", *text, *limit)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("the limit is not met", done.stdout)
            self.assertTrue(path.exists())

    def test_sizes_are_read_with_the_units_of_both_kinds(self):
        path = self.out("x")
        for size in ["16GiB", "1TiB", "2000MiB", "9999999KiB", "16G", "16GB", "1TB", "4000000000"]:
            done = run("quantize", self.model, "--to", f"gguf={path}", "--memory", size, "--dry-run")
            self.assertEqual(done.returncode, 0, done.stderr)
        for wrong in ["16gib", "16Gi", "GiB"]:
            self.assertOneLine(run("quantize", self.model, "--to", f"gguf={path}", "--memory", wrong, "--dry-run"), 2)

    def test_the_divergence_of_a_budget_is_that_of_the_file(self):
        context = ["--context", 64]
        text = self.calibration_text()
        path = self.out("x.gguf")
        command = ["quantize", self.model, "--to", f"gguf={path}", "--calibrate", text, "--tokens", 4096, *context, "--fit", "5.5bpw", "--json"]
        planned = json.loads(run(*command, "--dry-run").stdout)["outputs"][0]["fit"]["measured_kl"]
        measured = json.loads(run(*command).stdout)["outputs"][0]["fit"]["measured_kl"]
        self.assertEqual((planned["of"], measured["of"]), ("mse", "the file"))
        judged = run("evaluate", path, "--against", self.model, "--text", text, *context, "--json")
        self.assertEqual(json.loads(judged.stdout)["kl_divergence"]["mean"], measured["mean"])
        self.assertNotEqual(planned["mean"], measured["mean"])  # gptq has coded it

    def test_a_budget_is_refused_without_a_text_or_grids_to_choose_from(self):
        text = ["--calibrate", self.calibration_text()]
        for target, options in [("gguf", []), ("gguf:q4_k", text), ("hf", text), ("gguf", ["--calibrate", "-"])]:
            self.assertOneLine(run("quantize", self.model, "--to", target, "--fit", "6bpw", *options), 2)
        for wrong in ["bpw", "0bpw", "-1bpw", "xbpw", "65bpw", "nanbpw", "big"]:
            self.assertOneLine(run("quantize", self.model, "--to", "gguf", f"--fit={wrong}", *text), 2)
        for ambiguous in ["4.5", "16", "64"]:
            done = run("quantize", self.model, "--to", "gguf", "--fit", ambiguous, *text)
            self.assertOneLine(done, 2)
            self.assertIn(f"{ambiguous}bpw (bits per weight) or {ambiguous}GB (bytes of the output)", done.stderr)
        for wrong in ["-1", "nan", "x", "inf"]:
            self.assertOneLine(run("quantize", self.model, "--to", "gguf", f"--max-kld={wrong}", *text), 2)

    def test_a_wrong_statistics_file_is_refused_in_one_line(self):
        file = self.out("model.statistics")
        self.calibrate(file)
        good = file.read_bytes()
        imatrix = self.out("model.imatrix.gguf")
        self.calibrate(imatrix)
        self.quantize("gguf:q4_0", self.out("x"), "--statistics", imatrix)

        def wrong(name, data):
            path = self.out(name)
            path.write_bytes(data)
            return path

        flipped = bytearray(good)
        flipped[len(good) // 2] ^= 16
        other = self.out("other")  # the same shapes
        shutil.copytree(self.model, other)
        weights = (other / "model.safetensors").read_bytes()
        (other / "model.safetensors").write_bytes(weights[:-4096] + bytes(b ^ 1 for b in weights[-4096:]))
        foreign = self.out("foreign.statistics")
        done = run("calibrate", other, "--text", self.calibration_text(), "-o", foreign, "--tokens", 512, "--context", 64)
        self.assertEqual(done.returncode, 0, done.stderr)
        for path, found in [
            (wrong("cut", good[:-100]), "file ends inside an entry's data"),
            (wrong("flipped", bytes(flipped)), "damaged"),
            (wrong("version", good[:8] + b"\1" + good[9:]), "another version: expected 2, found 1"),
            (foreign, "statistics of another model"),
            (imatrix, "an imatrix is not enough"),
        ]:
            out = self.out("x")
            done = run("quantize", self.model, "--to", f"gguf:q4_0={out}", "--statistics", path, "--method", "gptq")
            self.assertOneLine(done, 1)
            self.assertIn(found, done.stderr)
            self.assertFalse(out.exists())

    def test_calibration_that_cannot_be_is_refused_in_one_line(self):
        text = self.calibration_text()
        for code, found, *options in [
            (2, "--calibrate FILE", "--method", "gptq"),
            (2, "unknown option", "--method", "gptq:x=1", "--calibrate", text),
            (2, "takes no options", "--method", "mse:damp=1", "--calibrate", text),
            (2, "--method nearest takes none", "--method", "nearest", "--calibrate", text),
            (2, "not together", "--statistics", "x", "--calibrate", text),
            (1, "no-such-file", "--calibrate", "no-such-file"),
            (1, "shorter than one window", "--calibrate", text, "--context", 10000, "--tokens", 10000),
            (1, "fewer than one window", "--calibrate", text, "--tokens", 100),
            (2, "a whole number, or auto", "--calibrate", text, "--tokens", "16k"),
            (1, "do not fit the memory budget", "--calibrate", text, "--memory", "2200K"),
        ]:
            path = self.out("x")
            done = run("quantize", self.model, "--to", f"gguf:q4_0={path}", *options)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(found, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertFalse(path.exists())

    def test_text_that_the_model_writes_is_the_same_in_every_way_and_as_a_file(self):
        kept = self.out("own.jsonl")
        options = ["--tokens", 512, "--context", 64, "--json"]

        def quantize(path, *more):
            done = run("quantize", DEMO, "--to", f"gguf:q4_0={path}", *options, *map(str, more))
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout)

        own = ["--calibrate", "own:length=96,seed=1"]
        first = self.out("x")
        report = quantize(first, *own, "--save-text", kept)
        rows = [json.loads(line) for line in kept.read_text().splitlines()]
        told = report["own_text"]
        self.assertEqual((told["documents"], told["conversations"]), (len(rows), sum("messages" in row for row in rows)))
        self.assertGreaterEqual(told["tokens"], 512)
        self.assertGreater(told["restarted"], 0)  # its texts begin with a user's turn
        self.assertGreater(min(told["seconds"], report["seconds"]["own_text"]), 0)
        sets = [row["name"] for row in json.loads(run("list", "instruction-sets", "--json").stdout)]
        for way in [["--threads", 1], ["--threads", 7], ["--cpu", sets[:2][-1]]]:
            path = self.out("x")
            self.assertEqual({**quantize(path, *own, *way)["own_text"], "seconds": 0}, {**told, "seconds": 0})
            self.assertEqual(content(path), content(first), way)
        path = self.out("x")
        from_file = quantize(path, "--calibrate", kept)
        self.assertEqual(weights(path, from_file["outputs"][0]), weights(first, report["outputs"][0]))
        read, loss = report["text"], ("perplexity", "expected_perplexity")
        self.assertEqual({name: read[name] for name in loss}, {name: from_file["text"][name] for name in loss})
        self.assertEqual(read["own"], from_file["text"]["files"])
        self.assertGreater(read["own"]["bytes_per_token"], 1)
        quantize(path, "--calibrate", "own:length=96,seed=2", "--force")
        self.assertNotEqual(content(path), content(first))

        folder, path = self.out("resume"), self.out("x")
        command = [PROGRAM, "quantize", DEMO, "--to", f"gguf:q4_0={path}", *options, *own, "--resume", folder]
        with subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and not (folder / "own-text").exists():
                time.sleep(0.01)
            process.kill()
        self.assertFalse(path.exists())
        done = run(*command[1:])
        self.assertIn("has the model's own text", done.stderr)
        self.assertEqual(content(path), content(first))
        self.assertFalse(folder.exists(), "nothing is left of what was kept")

        files = [self.out("model.statistics"), self.out("model.statistics")]
        for file, text in zip(files, ["own:length=96,seed=1", kept]):
            done = run("calibrate", DEMO, "--text", text, "-o", file, *options)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(files[0].read_bytes(), files[1].read_bytes())

    def test_text_that_the_model_writes_is_planned_and_mixed(self):
        text = self.calibration_text()
        options = ["--to", f"gguf:q4_0={self.out('x')}", "--tokens", 640, "--context", 64]
        planned = json.loads(run("quantize", DEMO, *options, "--calibrate", "own", "--dry-run", "--json").stdout)["own_text"]
        self.assertEqual(planned["tokens"], 640)
        more = ["--calibrate", "own", "--tokens", "auto", "--dry-run", "--json"]
        planned = json.loads(run("quantize", DEMO, *options[:2], *more).stdout)
        self.assertEqual((planned["calibration"]["tokens"], planned["own_text"]["tokens"]), (16384, 16384))
        self.assertGreater(planned["calibration"]["expected_seconds"], 0)
        shown = run("quantize", DEMO, *options[:2], *more[:-1]).stdout
        self.assertRegex(shown, r"calibration: 16,384 tokens, about \d+ \w+ with the coding")
        planned = planned["own_text"]
        self.assertGreater(planned["streams"], 1)
        self.assertGreater(planned["expected_seconds"], 0)
        for words, tokens in [(["own", text], 320), (["own:0.3", "--calibrate", text], 192), (["own", text, text, text, text], 128)]:
            done = run("quantize", DEMO, *options, "--calibrate", *words, "--dry-run", "--json")
            self.assertEqual(json.loads(done.stdout)["own_text"]["tokens"], tokens, done.stderr)
        done = run("quantize", DEMO, "--to", f"gguf={self.out('fit')}", "--calibrate", "own:length=64", text, "--fit", "9bpw", *options[2:])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"own text: \d+ documents, \d+ of them conversations, \d+ tokens")
        place = self.out("own")
        place.write_text(text.read_text())
        named = subprocess.run([PROGRAM, "quantize", self.model, *map(str, options), "--calibrate", "./own"], cwd=place.parent, capture_output=True, text=True)
        self.assertEqual((named.returncode, named.stdout.count("own text")), (0, 0), named.stderr)

    def test_text_that_the_model_cannot_write_is_refused_in_one_line(self):
        text = self.calibration_text()
        for code, found, *options in [
            (2, "temperature, length, seed or weights", "--calibrate", "own:top=3"),
            (2, "other texts beside it", "--calibrate", "own:0.5"),
            (2, "stands twice", "--calibrate", "own", "own"),
            (2, "--calibrate own", "--calibrate", text, "--save-text", "x.jsonl"),
            (1, "exists", "--calibrate", "own", "--save-text", text),
            (1, "has the path of an output", "--calibrate", "own", "--save-text", self.folder / "same", "--to", f"gguf:q4_0={self.folder / 'same'}"),
            (1, "for each kind of text", "--calibrate", "own", text, "--tokens", 600),
            (1, "--memory of at least", "--calibrate", "own", "--memory", "400K", "--tokens", 512, "--method", "mse"),
        ]:
            path = self.out("x")
            done = run("quantize", DEMO, "--to", f"gguf:q4_0={path}", *options)
            self.assertOneLine(done, code)
            self.assertIn(found, done.stderr)
            self.assertFalse(path.exists())

    def test_rewrites_are_planned_done_and_the_same_from_every_number_of_threads(self):
        calibrate = ["--calibrate", self.calibration_text(), "--tokens", 512, "--context", 64]
        for rewrite, possible in [("awq", 9), ("smoothquant:alpha=0.4", 9), ("rotation", 3), ("rotation,awq", 3)]:
            options = [*calibrate, "--rewrite", rewrite, "--method", "nearest"]
            with self.subTest(rewrite):
                planned = self.quantize("mlx:int3:g64", self.out("x"), *options, "--dry-run")
                paths = [self.out("x") for _ in range(2)]
                for path, threads in zip(paths, (1, 3)):
                    done = self.quantize("mlx:int3:g64", path, *options, "--threads", threads)
                self.assertEqual(content(paths[0]), content(paths[1]))
                self.assertEqual(planned["rewrites"][0]["possible"], possible)
                self.assertEqual([r["name"] for r in planned["rewrites"]], [r["name"] for r in done["rewrites"]])
                for result in done["rewrites"]:
                    self.assertLessEqual(result["changed"], result["possible"])
                    if result["name"] != "smoothquant":
                        self.assertLessEqual(result["loss"], 1)
                self.assertEqual(planned["outputs"][0]["bytes"], done["outputs"][0]["bytes"])

    def test_a_rewritten_model_in_full_precision_is_the_source_again(self):
        # KL divergence is at most twice the largest difference of logits; these are below 32 in magnitude, where 2^-13 is 64
        # roundings of FP32.
        bound = 2 * 2**-13
        text = self.calibration_text()
        options = ["--calibrate", text, "--tokens", 512, "--context", 64, "--method", "nearest", "--judge", text, "--json"]
        targets = ["hf:fp32", "gguf:fp32", "mlx:int2:g64"]
        for rewrite in ["smoothquant", "awq", "rotation"]:
            with self.subTest(rewrite):
                to = [word for target in targets for word in ("--to", f"{target}={self.out('x')}")]
                done = run("quantize", DEMO, *to, "--rewrite", rewrite, *options)
                self.assertEqual(done.returncode, 0, done.stderr)
                result = json.loads(done.stdout)
                self.assertGreater(result["rewrites"][0]["changed"], 0)
                most = [output["judge"]["kl_divergence"]["max"] for output in result["outputs"]]
                self.assertLess(max(most[:2]), bound)
                self.assertGreater(most[2], bound)

    def test_rewrites_that_cannot_be_are_refused_in_one_line(self):
        text = self.calibration_text()
        for code, what, *options in [
            (2, "--calibrate FILE", "--rewrite", "awq"),
            (2, "awq, smoothquant, rotation", "--rewrite", "gptq", "--calibrate", text),
            (2, "stands twice", "--rewrite", "awq,awq", "--calibrate", text),
            (2, "takes no options", "--rewrite", "awq:alpha=1", "--calibrate", text),
            (2, "0 to 1", "--rewrite", "smoothquant:alpha=2", "--calibrate", text),
        ]:
            with self.subTest(options=options):
                done = run("quantize", self.model, "--to", f"mlx:int4:g32={self.out('x')}", *options)
                self.assertOneLine(done, code)
                self.assertIn(what, done.stderr)

    def test_same_bytes_when_a_tensor_is_shared_by_threads(self):
        for target in ["gguf:q4_0", "gguf:q4_k_m", "gguf:iq2_s", "mlx:int4:g64"]:
            alone, shared = self.out("x"), self.out("x")
            for path, threads in [(alone, "1"), (shared, "7")]:
                arguments = ["--to", f"{target}={path}", "--threads", threads, "--quiet"]
                self.assertEqual(run("quantize", self.big_model, *arguments).returncode, 0)
            self.assertEqual(content(alone), content(shared))

    def test_several_targets_at_once_are_the_same_files(self):
        alone, together = self.out("a"), self.out("b")
        self.quantize("gguf:q4_0", alone)
        self.quantize("gguf:q4_0", together, "--to", f"gguf:q8_0={together}.2")
        self.assertEqual(content(alone)[0][1], content(together)[0][1])

    def test_exceptions_reach_the_matrices_they_name(self):
        for pattern, named in [
            ("layers.1-1.*", lambda t: t["name"].startswith("blk.1.") and "norm" not in t["name"]),
            ("down,head", lambda t: t["role"] in ("down", "head")),
        ]:
            with self.subTest(pattern):
                result = self.quantize("gguf:q4_0", self.out("x"), "--set", f"{pattern}=q5_1")
                tensors = result["outputs"][0]["tensors"]
                self.assertTrue(any(map(named, tensors)))
                for tensor in tensors:
                    self.assertEqual(tensor["grid"] == "q5_1", named(tensor), tensor)
        done = run("quantize", self.model, "--to", "gguf:q4_0", "--set", "attention_norm=q8_0", "--quiet")
        self.assertOneLine(done, 1)

    def test_killed_at_any_moment_it_leaves_the_finished_file_or_none(self):
        for target in ["gguf:q4_0", "mlx:int4:g64"]:
            whole = self.out("x")
            seconds = self.seconds_for(target, whole)
            finished = content(whole)
            draw = random.Random(0)
            for moment in [draw.uniform(0, 1.1 * seconds) for _ in range(10)]:
                path = self.out("x")
                process = self.start(target, path)
                time.sleep(moment)
                process.kill()
                process.communicate()
                if path.exists():
                    self.assertEqual(content(path), finished, f"{target} after {moment:.3f} s")

    def test_interrupted_it_leaves_nothing_and_says_so_by_its_code(self):
        moment = self.seconds_for("gguf:q4_0", self.out("x")) / 2
        for _ in range(8):  # a machine that is busy may finish first: then sooner
            path = self.out("x")
            process = self.start("gguf:q4_0", path)
            time.sleep(moment)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=60)
            if process.returncode != 0:
                break
            moment /= 2
        self.assertEqual(process.returncode, 130, errors)
        self.assertEqual(output, b"")
        self.assertEqual(list(path.parent.iterdir()), [])

    def start(self, target, path):
        """Quantizes the larger model."""
        command = [PROGRAM, "quantize", self.big_model, "--quiet", "--to", f"{target}={path}"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def seconds_for(self, target, path):
        begin = time.monotonic()
        process = self.start(target, path)
        _, errors = process.communicate()
        self.assertEqual(process.returncode, 0, errors)
        return time.monotonic() - begin

    def test_an_existing_path_is_refused_without_force(self):
        for target, other in [("gguf:q4_0", "gguf:q8_0"), ("mlx:int4:g64", "mlx:int8:g64")]:
            with self.subTest(target):
                path = self.out("x")
                self.quantize(target, path)
                before = content(path)
                done = run("quantize", self.model, "--to", f"{other}={path}", "--quiet")
                self.assertOneLine(done, 1)
                self.assertIn("--force", done.stderr)
                self.assertEqual(content(path), before)
                self.quantize(other, path, "--force")
                self.assertNotEqual(content(path), before)
                self.assertEqual(list(path.parent.iterdir()), [path])

    def test_bad_usage_exits_2(self):
        target = f"gguf:q4_0={self.out('x')}"
        for arguments in [
            [],
            ["quantise", self.model, "--to", target],
            ["quantize", self.model],
            ["quantize", "--to", target],
            ["quantize", self.model, "--to", "gguf:q4_17"],
            ["quantize", self.model, "--to", "gguuf:q4_0"],
            ["quantize", self.model, "--to", target, "--no-such-option"],
            ["quantize", self.model, "--to", target, "--method", "guessing"],
            ["quantize", self.model, "--to", target, "--threads", "many"],
            ["quantize", self.model, "--to", target, "--cpu", "z80"],
            ["list", "nothings"],
        ]:
            with self.subTest(arguments):
                done = run(*arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertNotEqual(done.stderr, "")

    def test_bad_input_exits_1_with_one_line(self):
        safetensors = (self.model / "model.safetensors").read_bytes()
        config = json.loads((self.model / "config.json").read_text())
        broken = {
            "missing": {},
            "empty": {"config.json": b"{}"},
            "cut": {"model.safetensors": safetensors[:5000]},
            "shortened": {"model.safetensors": safetensors[:-1]},
            "lying": {"model.safetensors": b"\xff" * 8 + safetensors[8:]},
            "no-json": {"config.json": b"{\n\n"},
            "unknown": {"config.json": json.dumps({**config, "architectures": ["Mystery\nNet"]}).encode()},
            "shape": {"config.json": json.dumps({**config, "hidden_size": 64}).encode()},
            "huge": {"config.json": json.dumps({**config, "vocab_size": 2**62}).encode()},
            "negative": {"config.json": json.dumps({**config, "num_hidden_layers": -1}).encode()},
            "tokenizer": {"tokenizer.json": b'{"model": {"type": "Mystery"}}'},
        }
        for name, files in broken.items():
            with self.subTest(name):
                folder = self.out("model")
                if files:
                    folder.mkdir()
                    for path in self.model.iterdir():
                        (folder / path.name).write_bytes(path.read_bytes())
                for path, text in files.items():
                    (folder / path).write_bytes(text)
                if name == "empty":
                    (folder / "model.safetensors").unlink()
                path = self.out("x")
                done = run("quantize", folder, "--to", f"gguf:q4_0={path}", "--quiet")
                self.assertOneLine(done, 1)
                self.assertEqual(list(path.parent.iterdir()), [])

    def test_an_output_that_cannot_be_written_is_said_in_one_line(self):
        for path in [self.folder / "no" / "such" / "folder", self.model / "config.json" / "x"]:
            with self.subTest(path):
                self.assertOneLine(run("quantize", self.model, "--to", f"gguf:q4_0={path}", "--quiet"), 1)

    def test_lists_are_json_arrays_of_named_things(self):
        for noun in LISTS:
            with self.subTest(noun):
                done = run("list", noun, "--json")
                self.assertEqual(done.returncode, 0, done.stderr)
                names = [entry["name"] for entry in json.loads(done.stdout)]
                self.assertTrue(names)
                self.assertEqual(len(names), len(set(names)))
                text = run("list", noun, "--verbose").stdout
                for name in names:
                    self.assertIn(name, text)

    def test_help_names_the_commands_and_shows_examples(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for command in ["quantize", "list"]:
            self.assertIn(command, done.stdout)
            help = run(command, "--help")
            self.assertEqual(help.returncode, 0)
            self.assertIn(f"zeropoint {command} ", help.stdout, "an example")

    def test_quiet_says_nothing(self):
        done = run("quantize", self.model, "--to", f"gguf:q4_0={self.out('x')}", "--quiet")
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
