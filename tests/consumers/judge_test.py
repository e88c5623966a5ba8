"""evaluate's figures against NumPy's from the same logits, and what it refuses.

    python judge_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with

NumPy computes in FP64 from the FP32 logits, as the program does; the program's e^x is within 2^-48,
its sums of at most 2^12 terms within 2^-41 of their size. A divergence is the difference of sums of
size below 2^5, so 2^-34 = 6e-11 is what may remain.
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import PROGRAM, SOURCE, quantize

LOGITS = PROGRAM.parent / "logits"
DEMO = SOURCE / "models/demo"
CONTEXT = 64
CLOSE = 6e-11


def run(*arguments, input=None):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, input=input)


def evaluate(*arguments):
    done = run("evaluate", *arguments, "--context", CONTEXT, "--json", "--quiet")
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def token_ids(text, **options):
    # The package counts as a reader of its own.
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(DEMO / "tokenizer.json")).encode(text, **options).ids


def windows_of(ids):
    """Each begins with BOS, as the whole text does."""
    return [ids[:1] + ids[i + 1 : i + CONTEXT] for i in range(0, len(ids) - CONTEXT + 1, CONTEXT)]


def logits(model, windows):
    lines = "\n".join(" ".join(map(str, ids)) for ids in windows)
    done = subprocess.run([LOGITS, model], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    rows = np.frombuffer(done.stdout, np.float32).astype(np.float64)
    return rows.reshape(len(windows), CONTEXT, -1)[:, CONTEXT // 2 : -1]


def log_softmax(x):
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


class JudgeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.small = Path(cls.folder.name) / "small.gguf"
        cls.text = Path(cls.folder.name) / "text.txt"
        cls.text.write_text((DEMO / "heldout.txt").read_text()[:20000])
        quantize(DEMO, {cls.small: "gguf:q4_0"})

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_figures_are_those_of_numpy(self):
        said = evaluate(self.small, "--text", self.text, "--against", DEMO)
        windows = windows_of(token_ids(self.text.read_text()))
        targets = np.array(windows)[:, CONTEXT // 2 + 1 :, None]
        p, q = (log_softmax(logits(model, windows)) for model in (DEMO, self.small))
        losses = [-np.take_along_axis(x, targets, -1).ravel() for x in (p, q)]
        kl = (np.exp(p) * (p - q)).sum(axis=-1).ravel()
        same = (p.argmax(-1) == q.argmax(-1)).ravel()
        n = kl.size
        self.assertEqual(said["tokens"], n)
        expected = {"mean": kl.mean(), "se": kl.std(ddof=1) / n**0.5, "median": np.median(kl), "max": kl.max()}
        for name, share in (("p90", 90), ("p95", 95), ("p99", 99), ("p999", 99.9)):
            expected[name] = np.percentile(kl, share)
        for name, value in expected.items():
            self.assertAlmostEqual(said["kl_divergence"][name], value, delta=CLOSE, msg=name)
        for name, loss in (("reference_perplexity", losses[0]), ("perplexity", losses[1])):
            self.assertAlmostEqual(said[name] / np.exp(loss.mean()), 1, delta=CLOSE, msg=name)
        se = np.exp(losses[1].mean()) * losses[1].std(ddof=1) / n**0.5
        self.assertAlmostEqual(said["perplexity_se"] / se, 1, delta=1e-9)
        self.assertEqual(said["top1_agreement"], same.sum() / n)
        difference = losses[1] - losses[0]
        ratio = np.exp(difference.mean())
        self.assertAlmostEqual(said["perplexity_ratio"] / ratio, 1, delta=CLOSE)
        self.assertAlmostEqual(said["perplexity_ratio_se"] / (ratio * difference.std(ddof=1) / n**0.5), 1, delta=1e-9)
        self.assertAlmostEqual(said["perplexity_correlation"], np.corrcoef(losses)[0, 1], delta=1e-9)
        sure = np.exp(p.max(-1)).ravel()
        for row in said["top1_changed"]:
            among = (row["from"] <= sure) & ((sure < row["to"]) | (row["to"] == 1))
            self.assertEqual((row["tokens"], row["changed"]), (among.sum(), (among & ~same).sum()))
        dp = np.exp(-losses[1]) - np.exp(-losses[0])
        self.assertAlmostEqual(said["rms_dp"] / np.sqrt((dp * dp).mean()), 1, delta=1e-9)
        self.assertGreater(said["kl_divergence"]["mean"], 0)

    def test_a_model_does_not_differ_from_itself(self):
        said = evaluate(DEMO, "--text", self.text, "--against", DEMO)
        self.assertEqual(set(said["kl_divergence"].values()), {0.0})
        self.assertEqual((said["top1_agreement"], said["rms_dp"]), (1.0, 0.0))
        self.assertEqual(said["perplexity"], said["reference_perplexity"])
        self.assertEqual([said[f"perplexity_{key}"] for key in ("ratio", "ratio_se")], [1.0, 0.0])
        self.assertAlmostEqual(said["perplexity_correlation"], 1, delta=1e-12)
        self.assertEqual({row["changed"] for row in said["top1_changed"]}, {0})
        self.assertEqual(said["perplexity"], evaluate(DEMO, "--text", self.text)["perplexity"])

    def test_refuses_texts_that_are_no_use(self):
        folder = Path(self.folder.name)
        for name, content, said in (
            ("empty", b"", "nothing in it"),
            ("short", b"Once", "shorter than one window"),
            ("broken", b"\xff\xfe" * 400, "broken UTF-8"),
            ("shape", b'{"question": "a"}', "unknown shape"),
        ):
            with self.subTest(name):
                (folder / name).write_bytes(content)
                done = run("evaluate", DEMO, "--text", folder / name)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(said, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def chats(self, shape):
        lines = (DEMO / "heldout.jsonl").read_text().splitlines()[:60]
        path = Path(self.folder.name) / "chats"
        path.write_text("\n".join(json.dumps(shape(**json.loads(line))) for line in lines))
        return path

    def test_every_shape_of_conversation_gives_the_same_figures(self):
        shapes = [
            lambda user, assistant: {"user": user, "assistant": assistant},
            lambda user, assistant: {"instruction": user, "output": assistant},
            lambda user, assistant: {
                "messages": [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
            },
        ]
        figures = [evaluate(DEMO, "--text", self.chats(shape)) for shape in shapes]
        self.assertEqual(figures[1:], figures[:-1])
        piped = run("evaluate", DEMO, "--text", "-", "--context", CONTEXT, "--json", "--quiet",
                    input=self.chats(shapes[0]).read_text())  # fmt: skip
        self.assertEqual(json.loads(piped.stdout), figures[0])

    def test_conversations_are_judged_as_the_template_writes_them(self):
        from jinja2 import Environment

        said = evaluate(DEMO, "--text", self.chats(lambda **chat: chat))
        config = json.loads((DEMO / "tokenizer_config.json").read_text())
        template = Environment().from_string(config["chat_template"])
        ids = []
        for line in (DEMO / "heldout.jsonl").read_text().splitlines()[:60]:
            messages = [{"role": role, "content": text} for role, text in json.loads(line).items()]
            text = template.render(messages=messages, bos_token=config["bos_token"])
            ids += token_ids(text, add_special_tokens=False)
        windows = windows_of(ids)
        targets = np.array(windows)[:, CONTEXT // 2 + 1 :, None]
        loss = -np.take_along_axis(log_softmax(logits(DEMO, windows)), targets, -1)
        self.assertEqual(said["tokens"], loss.size)
        self.assertAlmostEqual(said["perplexity"] / np.exp(loss.mean()), 1, delta=CLOSE)

    def test_other_vocabularies_are_refused_by_the_first_token_that_differs(self):
        for name, change, line in (
            ("swapped", lambda vocab: {**vocab, "!": vocab["#"], "#": vocab["!"]}, 'expected "!", found "#"'),
            ("renamed", lambda vocab: {"!!!" if key == "!" else key: i for key, i in vocab.items()}, "token 0"),
        ):
            with self.subTest(name):
                folder = Path(self.folder.name) / name
                folder.mkdir()
                for path in DEMO.iterdir():
                    (folder / path.name).symlink_to(path)
                tokenizer = json.loads((DEMO / "tokenizer.json").read_text())
                tokenizer["model"]["vocab"] = change(tokenizer["model"]["vocab"])
                (folder / "tokenizer.json").unlink()
                (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
                done = run("evaluate", folder, "--text", self.text, "--against", DEMO)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("vocabulary differs", done.stderr)
                self.assertIn(line, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_run_goes_on_as_the_stored_continuations(self):
        for prompt in json.loads((DEMO / "expected.json").read_text())["prompts"][:3]:
            question = prompt["messages"][0]["content"]
            done = run("run", DEMO, "--chat", "--prompt", question, "--tokens", 8, "--json", "--quiet")
            self.assertEqual(done.returncode, 0, done.stderr)
            answer = json.loads(done.stdout)
            self.assertEqual(answer["prompt_tokens"], len(prompt["ids"]))
            self.assertEqual(answer["tokens"], prompt["continuation"][:8])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
