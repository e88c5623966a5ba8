"""Models in the forms people have them: what is the same model gives the same file, and what is no model is named.

    python3 source_forms_test.py PROGRAM        standard library only
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from random_models import MODELS, PlainDraw, draw_model, save_model
from safetensors_file import read_tensors, write_tensors
from tiny_model import make_tiny_model

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
FILE = "model.safetensors"
INDEX = FILE + ".index.json"
WEIGHTS = 50_000  # bytes at the end of GGUF files that are weights
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 153304\n"


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60)


class SourceFormsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.model = make_tiny_model(cls.folder / "plain" / "model", hidden=64, ffn=64, layers=1)
        cls.tensors = read_tensors(cls.model / FILE)
        cls.plain, _ = cls.quantized(cls.model)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def quantized(cls, path):
        """The bytes of a GGUF file, and standard error."""
        out = pathlib.Path(tempfile.mkdtemp(dir=cls.folder)) / "x.gguf"
        done = run("quantize", path, "--to", f"gguf:q8_0={out}", "--json")
        return (out.read_bytes() if out.exists() else None), done.stderr

    def form(self, config=None, tensors=None):
        """A copy named as the plain one, for the name goes into the file."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "model"
        shutil.copytree(self.model, folder)
        if config:
            old = json.loads((folder / "config.json").read_text())
            (folder / "config.json").write_text(json.dumps({**old, **config}))
        if tensors:
            write_tensors(folder / FILE, tensors)
        return folder

    def shards(self, folder):
        names = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
        items = list(self.tensors.items())
        for name, part in zip(names, [items[:5], items[5:]]):
            write_tensors(folder / name, dict(part))
        (folder / FILE).unlink()
        where = {tensor: names[i >= 5] for i, (tensor, _) in enumerate(items)}
        return names, {"metadata": {}, "weight_map": where}

    def test_every_form_of_one_model_gives_the_same_file(self):
        forms = {}
        beside = self.form()
        (beside / INDEX).write_text(json.dumps({"weight_map": {name: FILE for name in self.tensors}}))
        forms["index beside its one file"] = beside
        indexed = self.form()
        names, index = self.shards(indexed)
        (indexed / INDEX).write_text(json.dumps(index))
        forms["shards"] = indexed
        forms["the index's path"] = indexed / INDEX
        forms["a shard's path"] = indexed / names[0]
        bare = self.form()
        self.shards(bare)
        forms["shards without an index"] = bare
        forms["a shard's path without an index"] = bare / names[1]
        inner = {name.removeprefix("model."): t for name, t in self.tensors.items()}
        forms["names without the prefix"] = self.form({"architectures": ["LlamaModel"]}, inner)
        left_over = {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}
        forms["a quantization that is no more"] = self.form(left_over)
        forms["marks of a trainer"] = self.form({"_num_labels": 1, "output_past": True})
        for name, path in forms.items():
            with self.subTest(name):
                made, said = self.quantized(path)
                self.assertEqual(made, self.plain, said)
        self.assertIn("config.json says quantized by bitsandbytes", self.quantized(forms["a quantization that is no more"])[1])

    def test_the_text_s_part_of_a_model_that_sees_gives_the_same_file(self):
        text = json.loads((self.model / "config.json").read_text())
        mistral = {"model_type": "mistral", "sliding_window": None}
        plain = self.form({"architectures": ["MistralForCausalLM"], **mistral})
        expected, _ = self.quantized(plain)
        tower = {"vision_tower.conv.weight": ("F32", [4, 8], bytes(128)), "multi_modal_projector.weight": ("F32", [8], bytes(32))}
        layouts = {
            "before transformers 5": {f"language_model.{name}": t for name, t in self.tensors.items()} | tower,
            "since": {name.replace("model.", "model.language_model.", 1): t for name, t in self.tensors.items()}
            | {f"model.{name}": t for name, t in tower.items()},
        }
        for name, tensors in layouts.items():
            with self.subTest(name):
                folder = self.form(tensors=tensors)
                inner = {key: value for key, value in text.items() if key != "architectures"}
                whole = {"architectures": ["Mistral3ForConditionalGeneration"], "model_type": "mistral3",
                         "text_config": {**inner, **mistral}, "vision_config": {"depth": 1}}  # fmt: skip
                (folder / "config.json").write_text(json.dumps(whole))
                made, said = self.quantized(folder)
                self.assertEqual(made, expected, said)
                beside = "projector (1 tensor, 8 parameters, 32 B); vision tower (1 tensor, 32 parameters, 128 B)"
                self.assertIn(f"beside it: {beside}", said)
                self.assertIn(f"left out: {beside}", said)
                seen = json.loads(run("inspect", folder, "--json").stdout)
                self.assertEqual(len(seen["tensors"]), len(tensors))
                planned = run("plan", folder / "config.json")
                self.assertEqual(planned.returncode, 0, planned.stderr)
                out = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "hf"
                self.assertIn(f"copied as it is: {beside}", run("quantize", folder, "--to", f"hf:fp32={out}").stderr)
                config = json.loads((out / "config.json").read_text())
                self.assertEqual((config["architectures"], config["vision_config"]), (whole["architectures"], {"depth": 1}))
                written = {}
                for path in out.glob("*.safetensors"):
                    written |= read_tensors(path)
                self.assertEqual(set(written), set(tensors))
                self.assertEqual(self.quantized(out)[0][-WEIGHTS:], expected[-WEIGHTS:])

    def test_phi_3_5_vision_gives_the_file_of_the_phi_3_that_is_its_text_s_part(self):
        """As published: one object of fields, those of images between the text's, and the older word for longrope."""
        config, seed = MODELS["phi3_short"]
        config = {**config, "rope_scaling": {**config["rope_scaling"], "type": "su"}}
        text = draw_model(PlainDraw(seed), config)
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        expected, _ = self.quantized(save_model(folder / "text/model", config, text))
        self.assertIsNotNone(expected)
        tower = PlainDraw(1)
        for name, shape in {"glb_GN": (1, 1, 8), "img_processor.vision_model.embeddings.class_embedding": (4,),
                            "img_processor.vision_model.embeddings.patch_embedding.weight": (4, 3, 2, 2),
                            "img_projection.0.bias": (8,), "sub_GN": (1, 1, 1, 8)}.items():  # fmt: skip
            tower.normal(f"model.vision_embed_tokens.{name}", shape, 0.1)
        whole = {
            **config,
            "architectures": ["Phi3VForCausalLM"],
            "model_type": "phi3_v",
            "auto_map": {"AutoConfig": "configuration_phi3_v.Phi3VConfig", "AutoModelForCausalLM": "modeling_phi3_v.Phi3VForCausalLM"},
            "embd_layer": {"embedding_cls": "image", "hd_transform_order": "sub_glb", "projection_cls": "mlp", "use_hd_transform": True,
                           "with_learnable_separator": True},
            "img_processor": {"image_dim_out": 1024, "model_name": "openai/clip-vit-large-patch14-336", "name": "clip_vision_model",
                              "num_img_tokens": 144},
        }  # fmt: skip
        source = save_model(folder / "whole/model", whole, {**text, **tower.tensors})
        for name in ("modeling_phi3_v.py", "preprocessor_config.json"):
            (source / name).write_text("{}")
        made, said = self.quantized(source)
        self.assertEqual(made, expected, said)
        self.assertIn("left out: vision tower and projector (5 tensors, 76 parameters, 304 B)", said)
        out = folder / "hf"
        self.assertEqual(run("quantize", source, "--to", f"hf:fp32={out}").returncode, 0)
        found = json.loads((out / "config.json").read_text())
        self.assertEqual({k: v for k, v in found.items() if k not in ("torch_dtype", "tie_word_embeddings")},
                         {k: v for k, v in whole.items() if k not in ("torch_dtype", "tie_word_embeddings")})  # fmt: skip
        for name in ("modeling_phi3_v.py", "preprocessor_config.json"):
            self.assertTrue((out / name).exists(), name)
        self.assertEqual(self.quantized(out)[0][-WEIGHTS:], expected[-WEIGHTS:])

    def test_a_stored_head_is_used_where_it_differs_from_the_embedding_it_is_tied_to(self):
        made, said = self.quantized(self.form({"tie_word_embeddings": True}))
        self.assertEqual(made, self.plain)
        self.assertIn("the stored head differs from the embedding", said)
        head = "lm_head.weight"
        same = {**self.tensors, head: self.tensors["model.embed_tokens.weight"]}
        tied, _ = self.quantized(self.form({"tie_word_embeddings": True}, {n: t for n, t in self.tensors.items() if n != head}))
        made, said = self.quantized(self.form({"tie_word_embeddings": True}, same))
        self.assertEqual(made, tied)
        self.assertNotIn("head", said)

    def test_what_is_no_model_is_named(self):
        adapter = self.form()
        for path in [FILE, "config.json"]:
            (adapter / path).unlink()
        (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base"}')
        write_tensors(adapter / "adapter_model.safetensors", self.tensors)
        pointer = self.form()
        (pointer / FILE).write_bytes(POINTER)
        text = self.folder / "text.txt"
        text.write_text("Once upon a time")
        statistics = self.folder / "x.statistics"
        imatrix = self.folder / "x.imatrix.gguf"
        long_text = self.folder / "long.txt"
        long_text.write_text("Once upon a time there was a model. " * 50)
        for out in [statistics, imatrix]:
            done = run("calibrate", self.model, "--text", long_text, "--tokens", "512", "-o", out, "--quiet")
            self.assertEqual(done.returncode, 0, done.stderr)
        packed = {**self.tensors, "model.layers.0.mlp.up_proj.qweight": ("I32", [1], b"1234")}
        quantize = ["--to", "gguf:q8_0", "--dry-run"]
        for arguments, found in [
            (["quantize", adapter, *quantize], 'a PEFT adapter of "org/base"'),
            (["quantize", adapter / "adapter_model.safetensors", *quantize], 'a PEFT adapter of "org/base"'),
            (["quantize", pointer, *quantize], "a Git LFS pointer"),
            (["quantize", text, *quantize], "found text"),
            (["quantize", statistics, *quantize], "statistics of zeropoint calibrate"),
            (["quantize", imatrix, *quantize], "an imatrix, which --statistics takes"),
            (["quantize", self.form(tensors=packed), *quantize], "quantized already, by GPTQ or AWQ"),
            (["quantize", self.form({"model_type": "gemma"}), *quantize], '"model_type": architecture not supported'),
            (["quantize", self.form({"model_type": "qwen2"}), *quantize], '"architectures": class of another'),
            (["quantize", self.form({"model_type": "jamba", "num_local_experts": 8}), *quantize], "a mixture of experts"),
            (["quantize", self.model, *quantize, "--statistics", text], "no statistics: "),
            (["quantize", self.model, *quantize, "--statistics", self.model / FILE], "found a safetensors file"),
            (["quantize", self.model, *quantize, "--calibrate", statistics], "no text: "),
            (["evaluate", self.model, "--text", imatrix], "no text: "),
        ]:
            with self.subTest(found):
                done = run(*arguments)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                self.assertIn(found, done.stderr)


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    unittest.main()
