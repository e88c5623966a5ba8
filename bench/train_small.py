#!/usr/bin/env python3
"""Trains a small model with torch, for measuring what quantizing does to its kind.

    bench/train_small.py experts|hybrid TEXT TOKENIZER_FOLDER OUT [--minutes 20]        needs torch, transformers

TEXT: documents, each ended by a line <|endoftext|>, .xz or plain. TOKENIZER_FOLDER: a model whose tokenizer is taken
(4,096 tokens do). experts: Qwen3-MoE's class, 4 layers, hidden 256, 16 experts of 128 of which each token goes through 2; the
loss that balances them is transformers' own. hybrid: Qwen3.5's class, 8 layers, hidden 256, three of four with linear
attention. Prints the loss on windows that were not trained on.
"""

import argparse
import json
import lzma
import pathlib
import random
import shutil
import time

import torch
from tokenizers import Tokenizer
from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM, Qwen3_5ForCausalLM, Qwen3_5TextConfig

WINDOW, BATCH = 256, 16


SIZES = {"vocab_size": 4096, "hidden_size": 256, "intermediate_size": 768, "max_position_embeddings": 2048, "tie_word_embeddings": True}


def experts():
    return Qwen3MoeForCausalLM(Qwen3MoeConfig(
        **SIZES, num_hidden_layers=4, num_attention_heads=8, num_key_value_heads=4, head_dim=32, num_experts=16, num_experts_per_tok=2,
        moe_intermediate_size=128, norm_topk_prob=True, output_router_logits=True, router_aux_loss_coef=0.01, rope_theta=10000.0,
    ))  # fmt: skip


def hybrid():
    return Qwen3_5ForCausalLM(Qwen3_5TextConfig(
        **SIZES, num_hidden_layers=8, num_attention_heads=4, num_key_value_heads=2, head_dim=64, linear_num_key_heads=4, linear_num_value_heads=8,
        linear_key_head_dim=32, linear_value_head_dim=32, linear_conv_kernel_dim=4,
        layer_types=(["linear_attention"] * 3 + ["full_attention"]) * 2,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5, "mrope_section": [6, 5, 5], "mrope_interleaved": True},
    ))  # fmt: skip


KINDS = {"experts": experts, "hybrid": hybrid}


def windows_of(path, tokenizer, most):
    """Windows of WINDOW + 1 tokens over shuffled documents, until there are enough."""
    opened = lzma.open(path, "rt") if path.suffix == ".xz" else path.open()
    documents = opened.read().split("<|endoftext|>")
    random.Random(3).shuffle(documents)
    end = tokenizer.token_to_id("<|endoftext|>")
    ids = []
    for document in documents:
        ids += tokenizer.encode(document.strip(), add_special_tokens=False).ids + ([end] if end is not None else [])
        if len(ids) > most * WINDOW:
            break
    return torch.tensor(ids[: len(ids) // WINDOW * WINDOW]).view(-1, WINDOW)


@torch.no_grad()
def loss_on(model, windows):
    model.eval()
    model.config.output_router_logits = False
    losses = [model(input_ids=w[None], labels=w[None]).loss.item() for w in windows]
    model.train()
    return sum(losses) / len(losses)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("tokenizer", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--windows", type=int, default=16_000)
    parser.add_argument("--threads", type=int, default=2, help="1 where others work, too: threads that wait burn time")
    o = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(o.threads)
    windows = windows_of(o.text, Tokenizer.from_file(str(o.tokenizer / "tokenizer.json")), o.windows)
    held_out, windows = windows[:64], windows[64:]
    model = KINDS[o.kind]()
    print(f"{sum(p.numel() for p in model.parameters()):,} weights, {len(windows)} windows", flush=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.95), weight_decay=0.05)
    begin, step = time.process_time(), 0
    # Processor time of two cores: about the same training whatever else runs.
    while (done := (time.process_time() - begin) / (120 * o.minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 50) * max(0.05, 1 - done)
        batch = windows[torch.randint(len(windows), (BATCH,))]
        loss = model(input_ids=batch, labels=batch).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 0:
            print(f"{done:4.0%} step {step}: {loss.item():.3f}", flush=True)
        step += 1
    print(f"held out: {loss_on(model, held_out):.3f} nats a token", flush=True)
    model.to(torch.bfloat16).save_pretrained(o.out)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if (o.tokenizer / name).exists():
            shutil.copy(o.tokenizer / name, o.out)
    written = json.loads((o.out / "config.json").read_text())
    if "output_router_logits" in written:
        written["output_router_logits"] = False
    (o.out / "config.json").write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
