"""zeropoint run and tokenize: conversations through a terminal and through pipes, what is refused, and memory.

    python3 run_test.py PROGRAM        standard library only
"""

import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from tiny_model import make_tiny_model

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
DEMO = pathlib.Path(__file__).resolve().parent.parent / "models/demo"
QUESTION = "What colour is the lantern of Sudar?"
PLAIN = "{% for m in messages %}{{ m.role[0] }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}a: {% endif %}"


def run(*arguments, **options):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)


class Terminal:
    """The program on a pseudo-terminal."""

    def __init__(self, *arguments):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(PROGRAM, [str(PROGRAM), *map(str, arguments)])
        self.seen = ""

    def read_until(self, pattern, seconds=30):
        """What came up to the pattern's end."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.seen)):
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no {pattern!r} in {self.seen[-500:]!r}")
            try:
                self.seen += os.read(self.fd, 65536).decode(errors="replace")
            except OSError:  # the program has ended
                raise AssertionError(f"ended before {pattern!r}: {self.seen[-500:]!r}") from None
        text, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return text

    def send(self, text):
        os.write(self.fd, text.encode())

    def exit_code(self, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    pass
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError(f"still running: {self.seen[-500:]!r}")


class RunTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        # Random weights: an answer goes on until it is stopped.
        cls.endless = make_tiny_model(cls.folder / "endless", hidden=512, ffn=1536, layers=6)
        (cls.endless / "chat_template.jinja").write_text(PLAIN)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def assert_one_line(self, done, code, words):
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertIn(words, done.stderr)

    def test_conversation_has_a_memory_until_it_is_cleared(self):
        lines = f"{QUESTION}\n\n{QUESTION}\n/clear\n{QUESTION}\n/exit\nnever\n"
        turns = json.loads(run("run", DEMO, "--chat", "--json", input=lines).stdout)["turns"]
        self.assertEqual(len(turns), 3)
        once = json.loads(run("run", DEMO, "--chat", "--prompt", QUESTION, "--json").stdout)
        self.assertEqual(turns[0]["text"], once["text"])
        self.assertEqual(turns[2]["text"], once["text"])
        self.assertGreater(turns[1]["prompt_tokens"], 2 * once["prompt_tokens"])
        spoken = run("run", DEMO, "--chat", input=lines)
        self.assertEqual(spoken.stdout, "".join(turn["text"] + "\n" for turn in turns))
        self.assertEqual(spoken.returncode, 0)
        self.assertEqual(run("run", DEMO, "--chat", input=f"{QUESTION}").stdout, once["text"] + "\n")

    def test_conversation_begins_with_the_system_message(self):
        def prompt_tokens(*options):
            done = run("run", self.endless, "--chat", "--tokens", 2, "--json", *options, input="Hi\n")
            result = json.loads(done.stdout)
            return result.get("turns", [result])[0]["prompt_tokens"]

        self.assertEqual(prompt_tokens(), len("u: Hi\na: "))
        self.assertEqual(prompt_tokens("--system", "Be."), len("s: Be.\nu: Hi\na: "))
        self.assertEqual(prompt_tokens("--system", "Be.", "--prompt", "Hi"), len("s: Be.\nu: Hi\na: "))

    def test_terminal_keeps_the_conversation_when_an_answer_is_stopped(self):
        terminal = Terminal("run", self.endless, "--chat", "--tokens", 100000)
        terminal.read_until("> ")
        terminal.send("Hello\n")
        terminal.read_until("Hello\r\n.")
        terminal.send("\x03")
        asked = time.monotonic()
        terminal.read_until("\n> ")
        self.assertLess(time.monotonic() - asked, 2)
        terminal.send("/clear\n")
        terminal.read_until("\n> ")
        terminal.send("Again\n")
        terminal.read_until("Again\r\n.")
        terminal.send("\x03")
        terminal.read_until("\n> ")
        terminal.send("\x03")
        self.assertEqual(terminal.exit_code(), 130)
        self.assertIn("the conversation is over", terminal.seen)

    def test_terminal_ends_with_its_input(self):
        for end in ("\x04", "/exit\n"):
            terminal = Terminal("run", DEMO, "--chat")
            terminal.read_until("> ")
            terminal.send(end)
            self.assertEqual(terminal.exit_code(), 0)

    def test_prompt_under_way_is_interrupted(self):
        prompt = self.folder / "long.txt"
        prompt.write_text("abcdefgh" * 3000)
        with prompt.open() as text:
            process = subprocess.Popen([PROGRAM, "run", self.endless, "--prompt", "-", "--quiet"], stdin=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(1.5)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, errors)
        self.assertLess(time.monotonic() - asked, 2)
        self.assertIn(b"the answer is not complete", errors)

    def test_answer_under_way_is_ended_in_order(self):
        command = [PROGRAM, "run", self.endless, "--prompt", "Once", "--tokens", "100000", "--quiet"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            begin = os.read(process.stdout.fileno(), 1)
            process.send_signal(signal.SIGINT)
            asked = time.monotonic()
            said, errors = process.communicate(timeout=30)
            took = time.monotonic() - asked
        self.assertEqual((process.returncode, errors), (130, b"zeropoint: interrupted; the answer is not complete\n"))
        # What ends the process by force comes after 0.7 s, and doesn't end the line.
        self.assertLess(took, 0.7)
        self.assertTrue((begin + said).endswith(b"\n"))

    def test_prompt_comes_from_standard_input(self):
        given = json.loads(run("run", DEMO, "--prompt", "Once upon", "--tokens", 4, "--json").stdout)
        piped = json.loads(run("run", DEMO, "--prompt", "-", "--tokens", 4, "--json", input="Once upon\n").stdout)
        for key in ("prompt_tokens", "tokens", "text"):
            self.assertEqual(piped[key], given[key])

    def test_model_that_ends_at_once_is_told_of_the_chat_template(self):
        first = json.loads(run("run", self.endless, "--prompt", "Hi", "--tokens", 1, "--json").stdout)["tokens"]
        ending = make_tiny_model(self.folder / "ending", hidden=512, ffn=1536, layers=6)
        (ending / "generation_config.json").write_text(json.dumps({"eos_token_id": first}))
        self.assertNotIn("--chat", run("run", ending, "--prompt", "Hi").stderr)
        (ending / "chat_template.jinja").write_text(PLAIN)
        self.assertIn("ended at once; it was trained on conversations: with --chat", run("run", ending, "--prompt", "Hi").stderr)
        self.assertNotIn("at once", run("run", self.endless, "--prompt", "Hi", "--tokens", 2).stderr)

    def test_same_seed_says_the_same_with_every_number_of_threads(self):
        def said(*options):
            options = ["--temperature", 0.9, "--tokens", 30, "--json", *options]
            return json.loads(run("run", self.endless, "--prompt", "Once", *options).stdout)["tokens"]

        one = said("--seed", 5, "--threads", 1)
        self.assertEqual(said("--seed", 5, "--threads", 3), one)
        self.assertNotEqual(said("--seed", 6), one)
        likeliest = json.loads(run("run", self.endless, "--prompt", "Once", "--tokens", 30, "--json").stdout)["tokens"]
        self.assertEqual(said("--top-k", 1), likeliest)
        self.assertEqual(said("--top-p", 1e-9), likeliest)

    def test_numbers_that_are_none_are_refused(self):
        for options, words in [
            (["--temperature", "nan"], "--temperature"),
            (["--temperature", "inf"], "--temperature"),
            (["--temperature=-1"], "--temperature"),
            (["--top-p", "nan"], "--top-p"),
            (["--top-p", "0"], "--top-p"),
            (["--top-p", "1.5"], "--top-p"),
            (["--top-k=-1"], "--top-k"),
            (["--tokens", "0"], "--tokens"),
            (["--system", "x"], "--system"),
        ]:
            with self.subTest(options=options):
                self.assert_one_line(run("run", DEMO, "--prompt", "Hi", *options), 2, words)
        self.assert_one_line(run("run", DEMO), 2, "--prompt TEXT, or --chat")
        self.assertIn("change nothing at --temperature 0", run("run", DEMO, "--prompt", "Hi", "--tokens", 1, "--top-k", 5).stderr)


class TokenizeTest(unittest.TestCase):
    def test_many_documents_are_one_json_object(self):
        rows = json.dumps(["Hello", "", "a\n\"b\"\u0995"])
        found = json.loads(run("tokenize", DEMO, "--file", "-", "--json", input=rows).stdout)["documents"]
        self.assertEqual(len(found), 3)
        for text, document in zip(json.loads(rows), found):
            self.assertEqual(json.loads(run("tokenize", DEMO, text, "--json").stdout), document)
            self.assertEqual(list(document), ["ids", "pieces"])

    def test_a_field_that_nothing_reads_is_said_once(self):
        rows = "".join(json.dumps({"text": "x", "id": i, "note": ""}) + "\n" for i in range(3))
        done = run("tokenize", DEMO, "--file", "-", "--json", input=rows)
        self.assertEqual(done.stderr, 'field "id" of 3 rows is not read\n')
        self.assertEqual(run("tokenize", DEMO, "--file", "-", "--quiet", input=rows).stderr, "")

    def test_memory_is_a_few_times_the_text(self):
        with tempfile.TemporaryDirectory() as made:
            text = pathlib.Path(made) / "long.txt"
            text.write_text((DEMO / "heldout.txt").read_text() * 20)
            size = text.stat().st_size
            peaks = []
            for file in (DEMO / "heldout.txt", text):
                process = subprocess.Popen([PROGRAM, "tokenize", DEMO, "--file", file, "--json"], stdout=subprocess.DEVNULL)
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                self.assertEqual(process.returncode, 0)
                peaks.append(1024 * usage.ru_maxrss)
            # The file, two copies of it, and four bytes for every token.
            self.assertLess(peaks[1] - peaks[0], 8 * size)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
