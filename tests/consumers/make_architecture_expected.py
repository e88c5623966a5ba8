"""What transformers computes of the random models in FP32: greedy continuations of a few prompts.

    python make_architecture_expected.py >expected/architectures.json        needs torch, transformers

margins: how far each choice stood above the second best; logprobs: of the choices.
"""

import json
import pathlib
import sys
import tempfile

import torch
from make_random_models import MODELS, make_random_model
from transformers import AutoModelForCausalLM

PROMPTS = [b"Once upon a time", b"The old man looked at the sea and", b"int main(void) { return 0; }"]
CONTINUATION = 20


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
            model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
            expected[name] = [continuation(model, prompt) for prompt in PROMPTS]
    # One line for each prompt.
    lines = [
        f' "{name}": [\n  ' + ",\n  ".join(json.dumps(p) for p in prompts) + "\n ]"
        for name, prompts in expected.items()
    ]
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
