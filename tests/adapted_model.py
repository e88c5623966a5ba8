"""A small model as Phi-4-multimodal is published: a Phi-3 whose matrices have an adapter for images and one for speech beside
them, and a projector. Standard library only.
"""

from random_models import MODELS, PlainDraw, draw_model, save_model

RANKS = {"vision": 24, "speech": 20}
ALPHAS = {"vision": 48, "speech": 30}
ADAPTED = ("qkv_proj", "o_proj", "gate_up_proj", "down_proj")
PATTERN = r"layers.*((self_attn\.(qkv_proj|o_proj))|(mlp\.(gate_up|down)_proj))"


def save_adapted_model(folder):
    """Returns the tensors by name."""
    phi3 = MODELS["phi3"][0]
    adapters = {f"{name}_lora": {"dp": 0.0, "layer": PATTERN, "lora_alpha": ALPHAS[name], "r": r} for name, r in RANKS.items()}
    config = {**phi3, "architectures": ["Phi4MMForCausalLM"], "model_type": "phi4mm", **adapters}
    text = draw_model(PlainDraw(7), phi3)
    draw = PlainDraw(8)
    draw.normal("model.embed_tokens_extend.image_embed.img_projection.0.weight", (64, 16), 0.1)
    for name, tensor in text.items():
        path = name.removesuffix(".weight")
        if not path.endswith(ADAPTED):
            draw.tensors[name] = tensor
            continue
        draw.tensors[f"{path}.base_layer.weight"] = tensor
        rows, columns = tensor.shape
        for adapter, rank in RANKS.items():
            draw.normal(f"{path}.lora_A.{adapter}.weight", (rank, columns), 0.1)
            draw.normal(f"{path}.lora_B.{adapter}.weight", (rows, rank), 0.1)
    save_model(folder, config, draw.tensors)
    return draw.tensors
