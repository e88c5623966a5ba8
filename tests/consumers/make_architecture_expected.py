"""What transformers computes of the random models in FP32: greedy continuations of a few prompts.

    python make_architecture_expected.py >expected/architectures.json        needs torch, transformers

margins: how far each choice stood above the second best; logprobs: of the choices; fp16_gelu: how far
these move where GELU's argument and value are rounded to FP16, as llama.cpp's table rounds them.
"""

import json
import pathlib
import sys
import tempfile

import torch
from make_logits import load
from make_random_models import make_random_model
from random_models import MODELS

PROMPTS = [b"Once upon a time", b"The old man looked at the sea and", b"int main(void) { return 0; }"]
CONTINUATION = 20


@torch.no_grad()
def fp16_gelu_moves(model, answers):
    """The largest change of a log-probability over all prompts; leaves the model changed."""
    for module in model.modules():
        for name in ("act_fn", "activation_fn", "act"):
            if (gelu := getattr(module, name, None)) is not None:
                setattr(module, name, Fp16(gelu))
    largest = 0.0
    for answer in answers:
        begin, chosen = len(answer["ids"]), torch.tensor(answer["continuation"])
        logits = model(input_ids=torch.tensor([answer["ids"] + answer["continuation"]])).logits[0, begin - 1 : -1]
        found = torch.log_softmax(logits, 1).gather(1, chosen[:, None])[:, 0]
        largest = max(largest, (found - torch.tensor(answer["logprobs"])).abs().max().item())
    return round(largest, 5)


class Fp16(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x.half().float()).half().float()


@torch.no_grad()
def continuation(model, prompt):
    ids, margins, logprobs = list(prompt), [], []
    for _ in range(CONTINUATION):
        logits = model(input_ids=torch.tensor([ids])).logits[0, -1]
        best = logits.topk(2)
        margins.append(round((best.values[0] - best.values[1]).item(), 3))
        ids.append(best.indices[0].item())
        logprobs.append(round(torch.log_softmax(logits, 0)[ids[-1]].item(), 4))
    return {"ids": list(prompt), "continuation": ids[len(prompt) :], "margins": margins, "logprobs": logprobs}


def main():
    expected = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or MODELS:
            path = make_random_model(pathlib.Path(folder) / name, name)
            model = load(path)
            expected[name] = [continuation(model, prompt) for prompt in PROMPTS]
            if "gelu" in str(model.config.to_dict()):
                moves = fp16_gelu_moves(model, expected[name])
                for answer in expected[name]:
                    answer["fp16_gelu"] = moves
    # One line for each prompt.
    lines = [
        f' "{name}": [\n  ' + ",\n  ".join(json.dumps(p) for p in prompts) + "\n ]"
        for name, prompts in expected.items()
    ]
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
