"""MLX folders as mlx-lm reads them.

For every model, width and group: mlx-lm loads the folder strictly, quantized exactly where the rows
allow it; mx.dequantize gives the values of the program's own grid, bit for bit, and their noise is
what the program reported. The micro-scaled modes the same, and their rounding is no worse than
mx.quantize's. What mlx_lm.convert wrote is read as mx.dequantize has it, and computed as mlx-lm does.
In floating point every parameter is the source's, and at FP32 mlx-lm continues prompts as transformers
does. Models of random weights do the same for the architectures that no small trained model stands for.

    python mlx_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with

decode_planes must stand beside PROGRAM.
"""

import contextlib
import io
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import mlx.core as mx
    import mlx.nn as nn
    import numpy as np
    import tokenizers
    from mlx.utils import tree_flatten
    from mlx_lm.convert import convert
    from mlx_lm.utils import load, load_model
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import CLOSE, PROGRAM, SOURCE, continuations, models, quantize
from engine_test import LOGITS, bound

mx.set_default_device(mx.cpu)
DEMO = SOURCE / "models/demo"
DECODE_PLANES = PROGRAM.parent / "decode_planes"
FLOATS = {"fp32": mx.float32, "fp16": mx.float16, "bf16": mx.bfloat16}
SCALES = {mx.float32: "s32", mx.float16: "s16", mx.bfloat16: "sbf16"}
AFFINE = {f"int{bits}:g{group}": (bits, group, "affine") for bits in (2, 3, 4, 5, 6, 8) for group in (32, 64, 128)}
MICRO = {"mxfp4": (4, 32, "mxfp4"), "mxfp8": (8, 32, "mxfp8"), "nvfp4": (4, 16, "nvfp4")}
CONV1D = ("c_attn.weight", "c_proj.weight", "c_fc.weight")

# Small models in the shapes of architectures; weights are random.
SIZES = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 2,
    "vocab_size": 96,
    "max_position_embeddings": 256,
}
LONGROPE = {"long_factor": [1.0 + i / 8 for i in range(12)], "short_factor": [1.0] * 12}
ARCHITECTURES = {
    "llama-biases": {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "rms_norm_eps": 1e-5, "hidden_act": "silu",
        "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": False,
        "rope_theta": 5e5, "rope_scaling": {
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    },
    "qwen2-tied": {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "rms_norm_eps": 1e-6, "hidden_act": "silu",
        "tie_word_embeddings": True, "rope_theta": 1e6,
    },
    "qwen3": {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "rms_norm_eps": 1e-6, "hidden_act": "silu",
        "tie_word_embeddings": False, "rope_theta": 1e6, "head_dim": 48,
    },
    "phi": {
        "architectures": ["PhiForCausalLM"], "model_type": "phi", "layer_norm_eps": 1e-5, "hidden_act": "gelu_new",
        "tie_word_embeddings": False, "rope_theta": 1e4, "partial_rotary_factor": 0.5,
    },
    "phi3-longrope": {
        "architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "rms_norm_eps": 1e-5, "hidden_act": "silu",
        "tie_word_embeddings": True, "rope_theta": 1e4, "partial_rotary_factor": 0.75,
        "original_max_position_embeddings": 64, "rope_scaling": {"type": "longrope", **LONGROPE},
    },
    "gpt2": {
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "layer_norm_epsilon": 1e-5,
        "activation_function": "gelu_new", "tie_word_embeddings": True, "n_ctx": 64, "n_positions": 64,
        "n_embd": 128, "n_head": 4, "n_layer": 2, "vocab_size": 96,
    },
}  # fmt: skip

# The same fields as transformers 5 writes them.
NESTED = {"rope_theta", "rope_scaling", "partial_rotary_factor", "original_max_position_embeddings"}


def nested(config):
    rope = {key: value for key, value in config.items() if key in NESTED and key != "rope_scaling"}
    scaling = dict(config.get("rope_scaling") or {"rope_type": "default"})
    scaling["rope_type"] = scaling.pop("type", scaling.get("rope_type"))
    rest = {key: value for key, value in config.items() if key not in NESTED}
    return {**rest, "rope_parameters": {**rope, **scaling}} if rope else rest


def parameters(model):
    return dict(tree_flatten(model.parameters()))


def same_bits(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(
        np.array(a.view(mx.uint8)), np.array(b.view(mx.uint8))
    )


def source_weights(model):
    """The checkpoint's tensors under mlx-lm's names and in its orientation."""
    weights, config = {}, json.loads((model / "config.json").read_text())
    for path in sorted(model.glob("*.safetensors")):
        weights.update(mx.load(str(path)))
    if config.get("tie_word_embeddings") and "lm_head.weight" in weights:
        weights.setdefault("model.embed_tokens.weight", weights.pop("lm_head.weight"))
        weights.pop("lm_head.weight", None)
    if config["model_type"] != "gpt2":
        return weights
    return {
        name.replace("transformer.", "model."): mx.contiguous(value.T) if name.endswith(CONV1D) else value
        for name, value in weights.items()
    }


def grid_values(folder, spec, modules):
    """What the program's grid makes of the stored planes: path -> FP32 array."""
    parts = ("weight", "scales") if spec in MICRO else ("weight", "scales", "biases")
    requests = "".join(
        " ".join([spec, str(cols), *(f"{path}.{part}" for part in parts)]) + "\n" for path, (_, cols) in modules.items()
    )
    run = subprocess.run(
        [DECODE_PLANES, folder / "model.safetensors"], input=requests.encode(), stdout=subprocess.PIPE, check=True
    )
    values, found, at = np.frombuffer(run.stdout, np.float32), {}, 0
    for path, (rows, cols) in modules.items():
        found[path] = values[at : at + rows * cols].reshape(rows, cols)
        at += rows * cols
    assert at == values.size
    return found


def save_random(folder, config):
    """Saves a model of that configuration as transformers names it."""
    from mlx_lm.utils import _get_classes

    kind, arguments = _get_classes(config)
    weights = {}
    for number, (name, value) in enumerate(tree_flatten(kind(arguments.from_dict(config)).parameters())):
        noise = mx.random.normal(value.shape, key=mx.random.key(number)) * 0.05
        value = noise + 1 if "norm" in name and name.endswith("weight") else noise
        if config["model_type"] == "gpt2":
            name = name.replace("model.", "transformer.")
            value = value.T if name.endswith(CONV1D) else value
        weights[name] = mx.contiguous(value)
    folder.mkdir()
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config))


def is_quantized(module):
    return isinstance(module, (nn.QuantizedLinear, nn.QuantizedEmbedding))


def dequantized(module):
    """As FP32; what the module would make itself is that, rounded to the type of its scales."""
    micro = mx.float32 if module.mode in MICRO else None
    parts = (module.weight, module.scales, module.get("biases"), module.group_size, module.bits, module.mode)
    return np.array(mx.dequantize(*parts, dtype=micro).astype(mx.float32))


def modes_by_module(path, module):
    """Every mode in one model, and modules in floating point."""
    if not hasattr(module, "to_quantized") or "o_proj" in path:
        return False
    if "embed_tokens" in path:
        return {"group_size": 32, "bits": 8, "mode": "mxfp8"}
    if "down_proj" in path:
        return {"group_size": 16, "bits": 4, "mode": "nvfp4"}
    if "up_proj" in path:
        return {"group_size": 32, "bits": 4, "mode": "mxfp4"}
    return True


def error_of_mlx(weights, mode):
    codes, scales = mx.quantize(mx.array(weights), mode=mode)
    values = np.array(mx.dequantize(codes, scales, mode=mode, dtype=mx.float32)).astype(np.float64)
    return float(np.sum((values - weights) ** 2))


class MlxTest(unittest.TestCase):
    def check_codes(self, folder, form, source, report):
        bits, group, mode = form
        model, config = load_model(folder)
        dtype = next(iter(source.values())).dtype
        spec = mode if mode in MICRO else f"int{bits}:g{group}:min:{SCALES[dtype]}"
        self.assertEqual(report["grid"], spec)
        quantized = {p: m for p, m in model.named_modules() if is_quantized(m)}
        held = {
            name.removesuffix(".weight")
            for name, value in source.items()
            if value.ndim == 2 and value.shape[1] % group == 0
        }
        self.assertEqual(set(quantized), held, "which modules are quantized")
        self.assertEqual("quantization" in config, bool(held))
        own = grid_values(folder, spec, {path: source[f"{path}.weight"].shape for path in quantized})
        noise = signal = 0.0
        for name, value in source.items():
            signal += float(np.sum(np.array(value.astype(mx.float32)).astype(np.float64) ** 2))
        for path, module in quantized.items():
            self.assertEqual((module.bits, module.group_size, module.mode), form, path)
            self.assertEqual(module.scales.dtype, mx.uint8 if mode in MICRO else dtype, path)
            values = dequantized(module)
            np.testing.assert_array_equal(values.view(np.uint32), own[path].view(np.uint32), path)
            exact = np.array(source[f"{path}.weight"].astype(mx.float32))
            error = float(np.sum((values.astype(np.float64) - exact) ** 2))
            noise += error
            if mode in MICRO:
                self.assertLessEqual(error, error_of_mlx(exact, mode), path)
        for name, value in parameters(model).items():
            if name.rpartition(".")[0] not in quantized or name.endswith(".bias"):
                self.assertTrue(same_bits(value, source[name]), name)
        if held:
            self.assertAlmostEqual(report["sqnr_db"], 10 * math.log10(signal / noise), delta=0.02)
        self.assertTrue(mx.isfinite(model(mx.array([[1, 2, 3, 4]]))).all().item())
        return len(held)

    def check_floating(self, folder, dtype, source):
        model, config = load_model(folder)
        self.assertNotIn("quantization", config)
        found = parameters(model)
        self.assertEqual(set(found), set(source))
        for name, value in found.items():
            self.assertTrue(same_bits(value, source[name].astype(dtype)), f"{name} in {dtype}")
        return model

    def check_continuations(self, model, prompts):
        for prompt in prompts:
            ids = list(prompt["ids"])
            for step, (expected, margin) in enumerate(zip(prompt["continuation"], prompt["margins"])):
                found = mx.argmax(model(mx.array([ids]))[0, -1]).item()
                if found != expected:
                    self.assertLess(margin, CLOSE, f"step {step}: {found} for {expected}")
                ids.append(expected)

    def check_model(self, source_folder, folder):
        """Returns the model at FP32 and how many tensors were quantized."""
        source = source_weights(source_folder)
        names = [*AFFINE, *MICRO, *FLOATS]
        paths = {name: folder / name.replace(":", "-") for name in names}
        # Nearest is the fastest coder, and fitting well is not what is tested here.
        targets = {paths[name]: f"mlx:{name}" for name in names}
        reports = quantize(source_folder, targets, "--method", "nearest")
        default = folder / "default"
        reports.update(quantize(source_folder, {default: "mlx"}))
        count = self.check_codes(default, AFFINE["int4:g64"], source, reports[default])
        for name, form in {**AFFINE, **MICRO}.items():
            with self.subTest(model=source_folder.name, grid=name):
                count += self.check_codes(paths[name], form, source, reports[paths[name]])
        for name, dtype in FLOATS.items():
            with self.subTest(model=source_folder.name, grid=name):
                model = self.check_floating(paths[name], dtype, source)
                if name == "fp32":
                    exact = model
        return exact, count

    def test_models(self):
        expected = continuations(models())
        for source_folder, prompts in expected.items():
            with tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                model, count = self.check_model(source_folder, folder)
                with self.subTest(model=source_folder.name, what="continuations"):
                    self.check_continuations(model, prompts)
                with self.subTest(model=source_folder.name, what="tokenizer"):
                    own = tokenizers.Tokenizer.from_file(str(source_folder / "tokenizer.json"))
                    found = load(folder / "default")[1].encode("Once upon a time", add_special_tokens=False)
                    self.assertEqual(found, own.encode("Once upon a time", add_special_tokens=False).ids)
                print(f"{source_folder.name}: {count} quantized tensors, {len(prompts)} continuations")

    def test_architectures(self):
        for name, extra in ARCHITECTURES.items():
            config = {**(SIZES if extra["model_type"] != "gpt2" else {}), **extra}
            with self.subTest(architecture=name), tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                save_random(folder / name, config)
                model, count = self.check_model(folder / name, folder)
                self.check_same_logits(folder / name, config, model)
                # transformers 5's spelling of the same
                (folder / name / "config.json").write_text(json.dumps(nested(config)))
                quantize(folder / name, {folder / "nested": "mlx:fp32"})
                self.check_same_logits(folder / name, config, load_model(folder / "nested")[0])
                print(f"{name}: {count} quantized tensors")

    def test_grids_of_a_budget(self):
        """Grids of two bits beside others, tensor by tensor: mlx-lm computes what the engine does."""
        text = ["--calibrate", DEMO / "heldout.txt", "--tokens", "256", "--context", "128"]
        with tempfile.TemporaryDirectory() as folder:
            exact, out = pathlib.Path(folder) / "exact", pathlib.Path(folder) / "budget"
            quantize(DEMO, {exact: "hf:fp32"})
            (report,) = quantize(exact, {out: "mlx"}, "--fit", "3.8bpw", "--method", "mse", *text).values()
            model, _ = load_model(out)
            modes = {(m.bits, m.group_size) for m in dict(model.named_modules()).values() if is_quantized(m)}
            grids = {t["grid"] for t in report["fit"]["tensors"]}
            self.assertEqual(len(modes), len(grids), grids)
            self.assertIn(2, {bits for bits, _ in modes}, grids)
            self.check_engine(out, model)

    def check_engine(self, folder, model):
        """Of scales in FP32, as which both compute."""
        ids = list(range(20))
        run = subprocess.run([LOGITS, folder], input=" ".join(map(str, ids)).encode(), capture_output=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        own = np.frombuffer(run.stdout, np.float32).reshape(len(ids), -1)
        rows = np.array(model(mx.array([ids]))[0])
        self.assertLess(np.abs(own - rows).max(), bound(folder, len(ids), np.abs(rows).max()))

    def test_folders_of_mlx_lm(self):
        """What mlx_lm.convert wrote, read and written in FP32, is what mx.dequantize makes of it."""
        sizes = {**SIZES, "hidden_size": 256, "num_hidden_layers": 8}  # recipes differ by layer
        kinds = {
            **{mode: {"q_mode": mode} for mode in MICRO},
            "int8": {"q_bits": 8, "q_group_size": 32},
            "mixed_2_6": {"quant_predicate": "mixed_2_6"},
            "mixed_3_4": {"quant_predicate": "mixed_3_4"},
            "by module": {"quant_predicate": modes_by_module},
        }
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for name in ("llama-biases", "qwen2-tied"):
                save_random(folder / name, {**sizes, **ARCHITECTURES[name]})
                (folder / name / "tokenizer.json").write_text(tokenizers.Tokenizer(tokenizers.models.BPE()).to_str())
                (folder / name / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
                for kind, options in kinds.items():
                    with self.subTest(model=name, kind=kind):
                        written, back = folder / f"{name}-{kind}", folder / f"{name}-{kind}-back"
                        with contextlib.redirect_stdout(io.StringIO()):
                            convert(str(folder / name), str(written), quantize=True, **options)
                        quantize(written, {back: "hf:fp32"})
                        found = mx.load(str(back / "model.safetensors"))
                        model, config = load_model(written)
                        modules = dict(model.named_modules())
                        self.assertIn("quantization", config)
                        for path, value in found.items():
                            module = modules[path.rpartition(".")[0]]
                            coded = is_quantized(module) and path.endswith(".weight")
                            plain = parameters(module)[path.rpartition(".")[2]]
                            expected = dequantized(module) if coded else np.array(plain)
                            np.testing.assert_array_equal(
                                np.array(value).view(np.uint32), expected.astype(np.float32).view(np.uint32), path
                            )
                        stored = {p for p in parameters(model) if not p.endswith((".scales", ".biases"))}
                        self.assertEqual(set(found), stored)
                        self.check_engine(written, model)

    def check_same_logits(self, source, config, model):
        """mlx-lm's own reading of the source computes the same to the bit."""
        ids = mx.arange(40)[None]
        if config["model_type"] == "gpt2":  # whose prefixed names mlx-lm does not transpose
            weights, own = source_weights(source), type(model)(model.args)
            own.load_weights(list(weights.items()))
        else:
            own = load_model(source, model_config=config)[0]
        self.assertTrue(same_bits(model(ids), own(ids)))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
