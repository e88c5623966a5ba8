"""Long jobs as people see them: Ctrl-C, the progress line, what killed runs leave behind.

    python3 command_line_jobs_test.py PROGRAM      standard library only
"""

import fcntl
import json
import os
import pathlib
import pty
import random
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

from tiny_model import make_tiny_model

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
ERASED = "\r\x1b[J"


class JobsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.model = make_tiny_model(cls.folder / "model", hidden=512, ffn=1536, layers=6)
        cls.text = cls.folder / "text.txt"
        words = random.Random(5).choices(["lantern", "island", "sheep", "boat"], k=40_000)
        cls.text.write_text(" ".join(words))
        cls.short_text = cls.folder / "short.txt"
        cls.short_text.write_text(" ".join(words)[:2100])
        cls.long_text = cls.folder / "long.txt"
        cls.long_text.write_text(" ".join(words) * 100)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def out(self):
        return pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "out"

    def large_file(self):
        """16 GiB of zeros, none of them on the disk."""
        size = 1 << 34
        header = json.dumps({"w": {"dtype": "F16", "shape": [1 << 16, size >> 17], "data_offsets": [0, size]}}).encode()
        path = self.folder / "large.safetensors"
        with path.open("wb") as file:
            file.write(struct.pack("<Q", len(header)) + header)
            file.truncate(file.tell() + size)
        return path

    def run_program(self, *arguments):
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=300)

    def test_every_long_job_stops_within_a_second_of_ctrl_c_and_says_what_is_lost(self):
        calibrate = ["--calibrate", self.text, "--tokens", 32768]
        resume = self.folder / "kept"
        nothing = "nothing was written"
        jobs = [  # seconds before the signal, words, command
            (0.2, nothing, ["quantize", self.model, "--to", "gguf=OUT", "--calibrate", self.long_text]),  # reads
            (1.5, nothing, ["quantize", self.model, "--to", "gguf:q4_k=OUT", *calibrate]),
            (3, "run it again to continue after the last finished layer",
             ["quantize", self.model, "--to", "mlx:int4:g64=OUT", *calibrate, "--resume", resume]),
            (1.5, nothing, ["quantize", self.model, "--to", "mlx:int4:g64=OUT", *calibrate, "--rewrite", "awq"]),
            (1.5, nothing, ["quantize", self.model, "--to", "gguf=OUT", *calibrate, "--fit", "4.5bpw"]),
            (1, nothing, ["quantize", self.model, "--to", "gguf=OUT", "--calibrate", "own", "--tokens", 262_144]),
            (1, "no figures", ["evaluate", self.model, "--text", self.text]),
            (1, nothing, ["calibrate", self.model, "--text", self.text, "-o", "OUT", "--tokens", 32768]),
            (1.5, nothing, ["tune", self.model, "--data", self.text, "-o", "OUT"]),
            (0.3, "interrupted", ["tokenize", self.model, "--file", self.long_text, "--json"]),
            (0.3, "interrupted", ["inspect", self.large_file(), "--values"]),
            (1, "interrupted", ["run", self.model, "--prompt", "x" * 400, "--tokens", 100_000]),
        ]  # fmt: skip
        for seconds, words, command in jobs:
            with self.subTest(command=command[:6]):
                out = self.out()
                words_of = [str(word).replace("OUT", str(out)) for word in command]
                with subprocess.Popen([PROGRAM, *words_of], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
                    time.sleep(seconds)
                    begin = time.monotonic()
                    process.send_signal(signal.SIGINT)
                    _, said = process.communicate()
                    took = time.monotonic() - begin
                self.assertEqual(process.returncode, 130, said)
                self.assertLess(took, 1)
                self.assertIn(words, said.splitlines()[-1])
                self.assertEqual(list(out.parent.iterdir()), [])

    def test_interrupted_while_judging_the_outputs_are_there_and_that_is_said(self):
        out = self.out()
        command = [PROGRAM, "quantize", self.model, "--to", f"gguf:q8_0={out}", "--judge", self.text]
        with subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, text=True) as process:
            while not out.exists():
                time.sleep(0.02)
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate()
        self.assertEqual((process.returncode, said.splitlines()[-1]), (130, "zeropoint: interrupted; the outputs are complete, but not judged"))
        self.assertEqual(self.run_program("inspect", out).returncode, 0)

    def drawn(self, columns, narrower=None):
        """What a terminal gets to see of a job, a drawing each; it may become narrower on the way."""

        def resize(width):
            fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))

        ours, theirs = pty.openpty()
        resize(columns)
        command = [PROGRAM, "evaluate", self.model, "--text", self.text, "--threads", "1"]
        seen = ""
        with subprocess.Popen([*map(str, command)], stderr=theirs, stdout=subprocess.DEVNULL) as process:
            os.close(theirs)
            while seen.count(ERASED) < 8:
                seen += os.read(ours, 65536).decode()
                if narrower and seen.count(ERASED) > 4:
                    resize(narrower)
            process.kill()
        os.close(ours)
        return seen

    def test_progress_is_one_line_of_every_terminal(self):
        for columns in (20, 60, 80, 200):
            progress = self.drawn(columns).split(ERASED)[1:]
            for line in progress:
                self.assertIn("evaluate", line)
                self.assertNotIn("\n", line)
                self.assertLess(len(line), columns)
            self.assertEqual(any("#" in line or "...." in line for line in progress), columns >= 60)

    def test_a_terminal_that_becomes_narrower_is_cleared_of_what_wrapped(self):
        self.assertIn("\x1b[1A" + ERASED, self.drawn(80, narrower=40))

    def test_a_killed_run_s_folder_is_removed_by_the_next_run_of_that_name(self):
        out = self.out()
        command = [PROGRAM, "quantize", self.model, "--to", f"mlx:int4:g64={out}", "--calibrate", self.text, "--tokens", "32768"]
        with subprocess.Popen([*map(str, command)], stderr=subprocess.DEVNULL) as process:
            while not list(out.parent.iterdir()):
                time.sleep(0.02)
            process.kill()
        self.assertEqual(len(list(out.parent.iterdir())), 1, "something is left")
        done = self.run_program("quantize", self.model, "--to", f"mlx:int4:g64={out}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(list(out.parent.iterdir()), [out])

    def test_a_resumed_run_says_where_it_continues(self):
        out, kept = self.out(), self.out()
        command = ["quantize", self.model, "--to", f"gguf:q4_0={out}", "--calibrate", self.text, "--tokens", "2048", "--resume", kept]
        with subprocess.Popen([PROGRAM, *map(str, command)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            while not (kept / "state").exists():
                time.sleep(0.01)
            process.kill()
        done = self.run_program(*command)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"kept.*|out.*: continues after layer [1-6] of 6")

    def test_a_report_that_cannot_be_written_is_refused_before_any_work(self):
        out = self.out()
        for report in ["/nowhere/report.html", "/proc/report.html", self.folder]:
            done = self.run_program("quantize", "no-such-model", "--to", f"gguf={out}", "--report", report)
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(report).removesuffix("/report.html"), done.stderr)

    def test_a_dry_run_says_what_exists(self):
        out = self.out()
        out.touch()
        done = self.run_program("quantize", self.model, "--to", f"gguf:q4_0={out}", "--dry-run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("exists already; --force would replace it", done.stdout)
        done = self.run_program("quantize", self.model, "--to", f"gguf:q4_0={out}", "--dry-run", "--force")
        self.assertIn("exists already; it is replaced", done.stdout)
        done = self.run_program("quantize", self.model, "--to", f"gguf:q4_0={out}", "--dry-run", "--json")
        self.assertTrue(json.loads(done.stdout)["outputs"][0]["exists"])
        self.assertEqual(self.run_program("quantize", self.model, "--to", f"gguf:q4_0={out}").returncode, 1)

    def test_windows_beyond_the_model_s_context_are_said(self):
        done = self.run_program("evaluate", self.model, "--text", self.short_text, "--context", 1024)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("note: windows of 1,024 tokens are longer than the model's context of 512", done.stderr)

    def test_what_is_refused_has_no_notes_before_it(self):
        text = self.folder / "one.txt"
        text.write_text("once upon a time")
        done = self.run_program("evaluate", self.model, "--text", text, "--context", 1024)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_one_of_a_thing_is_not_many(self):
        done = self.run_program("tokenize", self.model, "t")
        self.assertTrue(done.stdout.endswith("\n1 token\n"), done.stdout)
        done = self.run_program("calibrate", self.model, "--text", self.short_text, "-o", self.out(), "--tokens", 64, "--context", 64)
        self.assertRegex(done.stdout, r"of \d+ layers? on 64 tokens in")

    def test_seconds_cover_the_whole_command(self):
        done = self.run_program("quantize", self.model, "--to", f"gguf:q8_0={self.out()}", "--judge", self.short_text, "--json")
        seconds = json.loads(done.stdout)["seconds"]
        self.assertGreater(seconds["judge"], 0)
        parts = sum(seconds[part] for part in seconds if part != "total")
        self.assertLessEqual(parts, seconds["total"] + 1e-6)

    def test_names_are_known_in_any_case_and_misspelled_ones_are_guessed(self):
        for target in ["GGUF:Q8_0", "gguf:F16", "gguf:f32", "gguf:Q4_K_M"]:
            done = self.run_program("quantize", self.model, "--to", f"{target}={self.out()}", "--dry-run")
            self.assertEqual(done.returncode, 0, done.stderr)
        for wrong, meant in [(["quantise"], "quantize"), (["quantize", self.model, "--to", "ggfu"], "gguf"),
                             (["quantize", self.model, "--to", "gguf:q4_km"], "q4_k_m"), (["list", "grid"], "grids"),
                             (["quantize", self.model, "--to", "gguf:q8_0", "--method", "gtpq"], "gptq"),
                             (["quantize", self.model, "--to", "mlx:itn4:g64"], "int4"),
                             (["quantize", self.model, "--to", "gguf", "--set", "fnn_down=q8_0"], "ffn_down"),
                             (["quantize", self.model, "--to", "gguf", "--methd", "mse"], "--method"),
                             (["quantize", self.model, "--too=gguf:q8_0"], "--to"),
                             (["explain", "number", "1", "--bitz", "0b1"], "--bits"),
                             (["--verison"], "--version"),
                             (["explain", "tensor", self.model, "blk.0.ffn_uq"], "blk.0.ffn_up")]:  # fmt: skip
            done = self.run_program(*wrong)
            self.assertIn(done.returncode, (1, 2))
            self.assertIn(f"(did you mean {meant}?)", done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)
        self.assertEqual(self.run_program("help", "Quantize").stdout, self.run_program("quantize", "--help").stdout)
        self.assertEqual(self.run_program("version").stdout, self.run_program("--version").stdout)
        self.assertLess(len(self.run_program("list", "grids").stdout.splitlines()), 50)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
