"""A decoder graph the program wrote, run by OpenVINO with the caches it keeps."""

import json

import numpy as np
import openvino as ov
from openvino._offline_transformations import paged_attention_transformation
from safetensors.numpy import save_file

# Computed in FP32 with the codes as they are: no activations rounded to 8 bits, no caches in fewer.
EXACT = {
    "INFERENCE_PRECISION_HINT": "f32",
    "EXECUTION_MODE_HINT": "ACCURACY",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
    "KV_CACHE_PRECISION": "f32",
    "INFERENCE_NUM_THREADS": "1",
}
PAGED_WINDOW = 10  # the input of paged attention that says it
CONV1D = ("c_attn.weight", "c_proj.weight", "c_fc.weight")  # stored inputs x outputs


class Decoder:
    def __init__(self, folder, options=EXACT):
        core = ov.Core()
        self.graph = core.read_model(folder / "openvino_model.xml")
        self.compiled = core.compile_model(self.graph, "CPU", options)
        self.request = self.compiled.create_infer_request()
        self.inputs = {name for port in self.compiled.inputs for name in port.names}

    def start(self):
        """Forgets what it has seen."""
        self.request.reset_state()
        self.seen = 0

    def step(self, ids, mask=None, beams=None):
        """ids: batch x count. mask: of all tokens so far. beams: whose caches each sequence goes on from."""
        batch, count = ids.shape
        self.seen += count
        mask = np.ones((batch, self.seen), np.int64) if mask is None else mask
        feed = {
            "input_ids": ids.astype(np.int64),
            "attention_mask": mask,
            "position_ids": np.maximum(mask.cumsum(axis=1) - 1, 0)[:, -count:],
            "beam_idx": np.arange(batch, dtype=np.int32) if beams is None else np.array(beams, np.int32),
        }
        outputs = self.request.infer({name: value for name, value in feed.items() if name in self.inputs})
        return outputs["logits"].copy()

    def logits(self, ids, together):
        """Of every position: the first `together` at once, the others one by one."""
        ids = np.array([ids])
        self.start()
        rows = [self.step(ids[:, :together])]
        rows += [self.step(ids[:, i : i + 1]) for i in range(together, ids.shape[1])]
        return np.concatenate(rows, axis=1)[0]

    def operations(self):
        """What the runtime made of the graph: of each operation its type and what it computes in."""
        nodes = self.compiled.get_runtime_model().get_ordered_ops()
        return [{k: v.astype(str) for k, v in node.get_rt_info().items()} for node in nodes]


def paged_windows(folder):
    """Of each layer the window that is left when attention becomes a paged one, as the generation library has it
    by default; 0: none."""
    graph = ov.Core().read_model(folder / "openvino_model.xml")
    paged_attention_transformation(graph)
    layers = [node for node in graph.get_ordered_ops() if node.get_type_name() == "PagedAttentionExtension"]
    outputs = [node.input_value(PAGED_WINDOW) for node in layers]
    values = ov.Core().compile_model(ov.Model([ov.opset13.result(o) for o in outputs], []), "CPU", EXACT)({})
    return [int(values[i]) for i in range(len(layers))]


def stored_values(folder):
    """Of every tensor by its name what its constants stand for, computed by OpenVINO from the graph."""
    core = ov.Core()
    graph = core.read_model(folder / "openvino_model.xml")
    values = {}
    for node in graph.get_ordered_ops():
        if node.get_type_name() == "Constant" and node.friendly_name.endswith((".weight", ".bias")):
            values[node.friendly_name] = whole_chain(node.output(0))
    names = list(values)
    model = ov.Model([ov.opset13.result(values[name]) for name in names], [])
    outputs = core.compile_model(model, "CPU", EXACT)({})
    return {name: outputs[i].copy() for i, name in enumerate(names)}


def whole_chain(value):
    """The last value that is made of constants alone and of this one first."""
    for target in value.get_target_inputs():
        node = target.get_node()
        rest = [source.get_node() for source in node.input_values() if source != value]
        is_part = node.get_type_name() in ("Convert", "Subtract", "Multiply", "Reshape")
        if is_part and target.get_index() == 0 and all(map(is_constant, rest)):
            return whole_chain(node.output(0))
    return value


def is_constant(node):
    return node.get_type_name() == "Constant" or (
        node.get_type_name() == "Convert" and is_constant(node.input_value(0).get_node())
    )


def checkpoint_name(name):
    """GPT-2's modules have other names than its checkpoint's tensors."""
    of_gpt2 = ".h." in name or name.startswith(("model.wte", "model.wpe", "model.ln_f"))
    return "transformer" + name.removeprefix("model") if of_gpt2 else name


def checkpoint_values(folder):
    """What the graph's constants stand for, as a checkpoint has it."""
    return {
        checkpoint_name(name): np.ascontiguousarray(values.T if name.endswith(CONV1D) else values)
        for name, values in stored_values(folder).items()
    }


def values_of(folder, model):
    """A folder of what the graph's constants stand for."""
    out = folder.parent / f"{folder.name}-values"
    out.mkdir()
    save_file(checkpoint_values(folder), out / "model.safetensors")
    config = json.loads((model / "config.json").read_text())
    (out / "config.json").write_text(json.dumps({**config, "torch_dtype": "float32", "dtype": "float32"}))
    return out
