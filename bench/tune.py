#!/usr/bin/env python3
"""zeropoint tune beside peft: the loss of held-out answers before and after, seconds, peak memory.

    bench/tune.py --model MODEL --data CHATS.json            over the model as it is, and over it in nf4
    bench/tune.py --model MODEL --data CHATS.json --oracles .venv-all/bin/python      and peft on torch, with the same lessons

A model without a chat template gets a plain one. One conversation of sixteen is held out, the ninth of each. peft learns batches that
are filled up to their longest, by the same rates; its order is another. Standard library only; --oracles names a Python with torch,
transformers and peft.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ m['role'] + ':\\n' + m['content'] + ('\\n\\n' if m['role'] == 'user' else eos_token) }}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'assistant:\\n' }}{% endif %}"
)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=PROJECT / "build/release/zeropoint")
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--pairs", type=int, default=512, help="of the data, spread evenly")
    parser.add_argument("--oracles")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.002)
    parser.add_argument("--passes", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--max-tokens", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--torch", action="store_true", help="learn by peft, in this process")
    return parser.parse_args()


def with_template(model, folder):
    out = folder / "model"
    shutil.copytree(model, out)
    path = out / "tokenizer_config.json"
    path.chmod(0o644)
    config = json.loads(path.read_text())
    config.setdefault("chat_template", TEMPLATE)
    path.write_text(json.dumps(config))
    return out


def shown(name, before, after, seconds, processor, megabytes):
    times = f"{seconds:8.1f} s {processor:8.1f} of the processor's"
    print(f"{name:<24} loss {before:.4f} -> {after:.4f}  {times}  {megabytes:7.1f} MB", flush=True)


def processor_seconds(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def tune(args, name, model, folder):
    options = ["--rank", args.rank, "--rate", args.rate, "--passes", args.passes, "--batch", args.batch, "--max-tokens", args.max_tokens]
    command = [args.program, "tune", model, "--data", args.data, "-o", folder / f"adapter-{name}", *options]
    command += ["--seed", args.seed, "--threads", args.threads, "--json", "--quiet"]
    begin = processor_seconds(resource.RUSAGE_CHILDREN)
    said = json.loads(subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE).stdout)
    print(f"{said['lessons']} lessons, {said['tokens']} tokens a pass, {said['steps']} steps; planned {said['memory_bytes'] / 1e6:.1f} MB")
    processor = processor_seconds(resource.RUSAGE_CHILDREN) - begin
    losses = said["validation_loss_before"], said["validation_loss"]
    shown(name, *losses, said["seconds"], processor, said["peak_memory_bytes"] / 1e6)


def conversations(path):
    for row in json.loads(pathlib.Path(path).read_text()):
        question = row["instruction"] + ("\n\n" + row["input"] if row["input"] else "")
        yield [{"role": "user", "content": question}, {"role": "assistant", "content": row["output"]}]


def learn_by_peft(args):
    import math
    import random

    import peft
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    base = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    config = peft.LoraConfig(r=args.rank, lora_alpha=2 * args.rank, target_modules="all-linear", task_type="CAUSAL_LM")
    model = peft.get_peft_model(base, config)

    def ids(chat, prompt):
        return tokenizer(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=prompt), add_special_tokens=False)["input_ids"]

    lessons = [(ids(chat, False), len(ids(chat[:1], True))) for chat in conversations(args.data)]
    lessons = [lesson for lesson in lessons if len(lesson[0]) <= args.max_tokens]
    held_out = [lesson for i, lesson in enumerate(lessons) if i % 16 == 8 and i // 16 < len(lessons) // 16]
    learned = [lesson for i, lesson in enumerate(lessons) if not (i % 16 == 8 and i // 16 < len(lessons) // 16)]

    def sums(batch):
        longest = max(len(tokens) for tokens, _ in batch)
        x = torch.zeros(len(batch), longest, dtype=torch.long)
        there = torch.zeros(len(batch), longest, dtype=torch.long)
        y = torch.full((len(batch), longest), -100)
        for i, (tokens, said) in enumerate(batch):
            x[i, : len(tokens)] = torch.tensor(tokens)
            there[i, : len(tokens)] = 1
            y[i, said : len(tokens)] = x[i, said : len(tokens)]
        logits = model(input_ids=x, attention_mask=there).logits
        loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), y[:, 1:].flatten(), ignore_index=-100, reduction="sum")
        return loss, int((y[:, 1:] != -100).sum())

    def judged():
        model.eval()
        with torch.no_grad():
            found = [sums(held_out[i : i + args.batch]) for i in range(0, len(held_out), args.batch)]
        model.train()
        return float(sum(loss for loss, _ in found)) / sum(count for _, count in found)

    begin = time.monotonic()
    processor = processor_seconds(resource.RUSAGE_SELF)
    before = best = judged()
    weights = [w for w in model.parameters() if w.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=args.rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=0)
    steps = args.passes * math.ceil(len(learned) / args.batch)
    rising, step = max(1, steps // 10), 0
    shuffle = random.Random(args.seed)
    for _ in range(args.passes):
        shuffle.shuffle(learned)
        for i in range(0, len(learned), args.batch):
            step += 1
            way = (step - rising) / (steps + 1 - rising)
            rate = args.rate * (step / rising if step <= rising else (1 + math.cos(math.pi * way)) / 2)
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss, count = sums(learned[i : i + args.batch])
            optimizer.zero_grad()
            (loss / count).backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            if step * 8 // steps > (step - 1) * 8 // steps:
                best = min(best, judged())
    seconds = time.monotonic() - begin
    processor = processor_seconds(resource.RUSAGE_SELF) - processor
    shown("peft, float base", before, best, seconds, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)


def main():
    args = arguments()
    if args.torch:
        return learn_by_peft(args)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows = json.loads(pathlib.Path(args.data).read_text())
        args.data = folder / "data.json"
        args.data.write_text(json.dumps(rows[:: max(1, len(rows) // args.pairs)][: args.pairs]))
        model = with_template(args.model, folder)
        coded = folder / "nf4"
        subprocess.run([args.program, "quantize", model, "--to", f"hf-bnb:nf4={coded}", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        tune(args, "float base", model, folder)
        tune(args, "nf4 base", coded, folder)
        if args.oracles:
            options = [f"--{key.replace('_', '-')}={value}" for key, value in vars(args).items()
                       if key in ("data", "rank", "rate", "passes", "batch", "max_tokens", "seed", "threads")]  # fmt: skip
            subprocess.run([args.oracles, __file__, "--torch", "--model", model, *options], check=True)


if __name__ == "__main__":
    main()
