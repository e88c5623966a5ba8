"""Every example and every option, run: those of each --help, of README.md and of bench/README.md.

    python3 command_line_examples_test.py PROGRAM      standard library only

Lines run as they stand, by a shell, in a folder of their own. Names that stand for a user's files
are there (STAND_INS): models are the first layer of models/demo, texts are parts of its held-out text. Benchmarks take
long and need packages of their own: only their options are looked up.
"""

import collections
import concurrent.futures
import functools
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

from adapted_model import save_adapted_model
from short_demo import DEMO, save_short_demo

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
PROJECT = pathlib.Path(__file__).resolve().parent.parent

# What stands for the names in examples. A line that writes a name doesn't find it there.
STAND_INS = {
    DEMO: ["models/demo"],
    "short": ["MODEL", "model", "Phi-3.5-mini-instruct", "SmolLM2-135M"],
    "model-q4_0.gguf": ["model-q4_0.gguf", "demo-q4_0.gguf", "model-q4_k_m.gguf", "demo-q4_k_m.gguf", "model.gguf"],
    "adapted": ["Phi-4-multimodal-instruct"],
    "adapter": ["adapter"],
    "chats.jsonl": ["chats.jsonl"],
    "model.statistics": ["model.statistics"],
    "model.imatrix.gguf": ["model.imatrix.gguf", "imatrix.gguf"],
    "short.txt": ["train.txt", "book.txt"],
    "heldout.txt": ["heldout.txt"],
    "long.txt": ["wiki.test.raw"],
}

# Lines that give each command the options no example has. {cpu}: an instruction set of this machine.
PARSED_ONLY = ["scripts/demo", "scripts/test", "zeropoint COMMAND"]
TEXT = "--calibrate train.txt --tokens 256 --context 64"
OPTIONS = [
    "quantize model --to gguf:q4_0 --to mlx:int4:g64 --memory 2G --pre-tokenizer gpt-2 --threads 2 --json --quiet",
    f"quantize model --to gguf:q4_0 {TEXT} --rewrite rotation --seed 3 --resume kept --verbose",
    f"quantize model --to gguf {TEXT} --max-kld 0.5 --fit 8bpw",
    "quantize model --to gguf:q4_0=model.gguf --force --cpu {cpu} --quiet",
    "quantize model --to genai:int4:g32 --accurate --quiet",
    "evaluate model --text book.txt --context 64 --threads 2 --cpu {cpu} --verbose --quiet",
    "calibrate model --text train.txt --output out.statistics --tokens 256 --context 64 --memory 2G --json --verbose",
    "calibrate model --text train.txt --output model.statistics --force --context 64 --threads 2 --cpu {cpu} --quiet",
    "tune model --data chats.jsonl --output out --method lora --rank 2 --alpha 2 --roles query --rate 0.001 --passes 1 --batch 8 "
    "--seed 3 --max-tokens 128 --memory 2G --force --dry-run --threads 2 --cpu {cpu} --json --quiet --verbose",
    "run model --prompt Hello --tokens 4 --json --quiet --verbose --threads 2 --cpu {cpu}",
    "inspect model.gguf --values --verbose --quiet --threads 2 --cpu {cpu}",
    "plan model --json --quiet --verbose --threads 2 --cpu {cpu}",
    "plan model --to gguf",
    "plan --parameters 7B --json",
    "explain number 1 --json --quiet --verbose --threads 2 --cpu {cpu}",
    "explain grid int8 --range=0..1 --json --quiet --verbose --threads 2 --cpu {cpu}",
    "explain tensor model model.norm.weight --grid int8 --method nearest --json --quiet --verbose --threads 2 --cpu {cpu}",
    "tokenize model Hello --quiet --verbose --threads 2 --cpu {cpu}",
    "list grids --quiet --verbose --threads 2 --cpu {cpu}",
    "help list --json --quiet --verbose --threads 2 --cpu {cpu}",
    "version --quiet --verbose --threads 2 --cpu {cpu}",
]


def program(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout


def names_under(heading, help):
    """The words that begin the lines of a block of --help."""
    _, found, block = help.partition(f"\n{heading}:\n")
    return re.findall(r"^  ([a-z][a-z-]*)\b", block.split("\n\n")[0], re.MULTILINE) if found else []


@functools.cache
def helps():
    """Of the program, its commands and their kinds: what --help prints, by the words before it."""
    found, left = {}, [()]
    while left:
        words = left.pop()
        found[words] = program(*words, "--help")
        left += [(*words, name) for name in names_under("Subcommands", found[words])]
    return found


def options_of(help):
    """Each option as the set of its names."""
    lines = re.findall(r"^  ((?:-[\w-]+,)*-[\w-]+)", help, re.MULTILINE)
    return [frozenset(line.split(",")) for line in lines if "--help" not in line]


def example_lines(text, prompt=""):
    """Without what is said about them, which stands behind two spaces or more."""
    begin = re.escape("    " + prompt if prompt else "  ") + r"(?=\S)"
    return [re.split(r"\s{2,}", line.strip().removeprefix(prompt))[0] for line in text.splitlines() if re.match(begin, line)]


def in_help():
    return [line for help in helps().values() for line in example_lines(help.partition("Examples:\n")[2]) if line]


def in_readme():
    text = (PROJECT / "README.md").read_text()
    scripts = re.findall(r"^    (scripts/\w+)", text, re.MULTILINE)
    return scripts + example_lines(text, prompt="$ ")


def in_bench_readme():
    text = (PROJECT / "bench/README.md").read_text()
    return [re.split(r"\s{2,}|  #", line.strip())[0] for line in text.splitlines() if line.startswith("    ")]


class ExamplesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        (cls.folder / "bin").mkdir()
        (cls.folder / "bin/zeropoint").symlink_to(PROGRAM)
        text = (DEMO / "heldout.txt").read_text()
        for name, length in [("short.txt", 8_000), ("heldout.txt", 8_000), ("long.txt", 24_000)]:
            (cls.folder / name).write_text(text[:length])
        small = ["--text", cls.folder / "short.txt", "--tokens", "256", "--context", "64"]
        chats = (DEMO / "heldout.jsonl").read_text().splitlines(keepends=True)
        (cls.folder / "chats.jsonl").write_text("".join(chats[:40]))
        short = cls.folder / "short"
        save_short_demo(short)
        save_adapted_model(cls.folder / "adapted")
        program("quantize", short, "--to", f"gguf:q4_0={cls.folder / 'model-q4_0.gguf'}")
        program("calibrate", short, *small, "-o", cls.folder / "model.statistics")
        program("calibrate", short, *small, "-o", cls.folder / "model.imatrix.gguf")
        quick = ["--rank", "2", "--roles", "query", "--rate", "0.01", "--passes", "1", "--max-tokens", "64"]
        program("tune", short, "--data", cls.folder / "short.txt", "-o", cls.folder / "adapter", *quick)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def stand_in(self, folder, line):
        words = [word for word in shlex.split(line) if word not in (">", "|")]
        written = {after for word, after in zip(words, words[1:]) if word == "-o"}
        for source, names in STAND_INS.items():
            for name in names:
                if not any(re.match(re.escape(name) + r"(/|$)", word.rpartition("=")[2]) for word in words):
                    continue
                if name in written:
                    continue
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                if not (folder / name).is_symlink():
                    (folder / name).symlink_to(self.folder / source)

    def run_line(self, line):
        """What went wrong, or nothing."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        self.stand_in(folder, line)
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        shell = ["bash", "-o", "pipefail", "-c", line]
        environment = {**os.environ, "PATH": path}
        done = subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            return f"{line}\n  exit code {done.returncode}: {done.stderr}"
        if "--json" in line:
            json.loads(done.stdout)
        return None

    def run_lines(self, lines):
        lines = [line for line in dict.fromkeys(lines) if not line.startswith(tuple(PARSED_ONLY))]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
            wrong = [message for message in threads.map(self.run_line, lines) if message]
        self.assertEqual(wrong, [], "\n".join(wrong))

    def option_lines(self):
        sets = json.loads(program("list", "instruction-sets", "--json"))
        cpu = sets[:2][-1]["name"]  # the oldest ones lack fused multiply-adds: a hundred times as slow
        return ["zeropoint " + line.format(cpu=cpu) for line in OPTIONS]

    def test_examples_and_option_lines_do_what_they_say(self):
        examples = in_help() + in_readme()
        self.assertGreater(len(examples), 50, "the examples were found")
        self.run_lines(examples + self.option_lines())

    def test_every_option_of_every_command_is_in_a_line_that_is_run(self):
        used = collections.defaultdict(set)
        for line in in_help() + in_readme() + self.option_lines():
            words = shlex.split(line.rpartition("|")[2])[1:]
            command = tuple(words[:2] if tuple(words[:2]) in helps() else words[:1])
            used[command] |= {word.partition("=")[0] for word in words if word.startswith("-")}
        for command, help in helps().items():
            if not command or names_under("Subcommands", help):
                continue
            options = options_of(help)
            self.assertTrue(options, command)
            missing = [sorted(names) for names in options if not names & used[command]]
            self.assertEqual(missing, [], f"{' '.join(command)}: add lines with these options to OPTIONS")

    def test_scripts_that_readme_names_are_programs(self):
        for line in in_readme():
            if line.startswith("scripts/"):
                done = subprocess.run(["bash", "-n", PROJECT / line], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(os.access(PROJECT / line, os.X_OK), line)

    def test_benchmarks_take_the_options_of_their_examples(self):
        scripts = [shlex.split(line) for line in in_bench_readme() if line.startswith("bench/")]
        self.assertGreater(len(scripts), 5)
        for name, *words in scripts:
            self.assertTrue(os.access(PROJECT / name, os.X_OK), name)
            source = (PROJECT / name).read_text()
            compile(source, name, "exec")
            options = {"--help", *re.findall(r'add_argument\("(--[\w-]+)"', source)}
            self.assertLessEqual({word for word in words if word.startswith("--")}, options, name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
