"""quantize --judge and --report: the figures are evaluate's, and a browser shows the page.

    python report_test.py PROGRAM SOURCE_DIR        without chromium the browser's part is skipped
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import chromium
from consumer import PROGRAM, SOURCE

DEMO = SOURCE / "models/demo"
HOSTILE = "<img src=x onerror=alert(1)>"
# Of the charts' texts, in pixels of the screen.
SMALLEST_LETTERS = """Math.min(...[...document.querySelectorAll('.chart svg text')].map(
    text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a))"""
TARGETS = ["gguf:q4_0", "mlx:int4:g64", "hf:bf16"]


def run(*arguments, input=None):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, input=input)


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        cls.text = cls.folder / "text.jsonl"
        lines = (DEMO / "heldout.jsonl").read_text().splitlines()[:60]
        lines.append(json.dumps({"user": HOSTILE * 8, "assistant": "</code></table><b>" * 8}))
        cls.text.write_text("\n".join(lines))
        cls.page = cls.folder / "page.html"
        cls.paths = [cls.folder / target.replace(":", "-") for target in TARGETS]
        cls.said = cls.quantize(cls, *cls.judge(cls), "--report", cls.page)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def judge(self):
        return "--judge", self.text, "--context", 64

    def quantize(self, *options, targets=TARGETS):
        command = ["quantize", DEMO, "--json", "--quiet", *options]
        for target in targets:
            command += ["--to", f"{target}={self.folder / target.replace(':', '-')}"]
        done = run(*command)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)

    def assertRefused(self, *options, says, input=None):
        target = self.folder / "refused"
        done = run("quantize", DEMO, "--to", f"gguf:q4_0={target}", *options, input=input)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertIn(says, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertFalse(target.exists(), "refused before any work")

    def test_judge_says_what_evaluate_says(self):
        for path, output in zip(self.paths, self.said["outputs"], strict=True):
            with self.subTest(path.name):
                done = run("evaluate", path, "--against", DEMO, "--text", self.text, "--context", 64, "--json",
                           "--quiet")  # fmt: skip
                self.assertEqual(output["judge"], json.loads(done.stdout))

    def test_keys_stand_in_one_place_whatever_the_number_of_outputs(self):
        """Every output has its judgement; the first one's is also beside the outputs."""
        one = self.quantize(*self.judge(), "--force", targets=TARGETS[:1])
        self.assertEqual(one.keys(), self.said.keys())
        self.assertEqual(one["judge"], one["outputs"][0]["judge"])
        self.assertEqual(one["judge"], self.said["judge"])
        for output in self.said["outputs"]:
            self.assertEqual(output.keys(), one["outputs"][0].keys())
            self.assertEqual(output["judge"].keys(), one["judge"].keys())

    def test_judge_reads_standard_input(self):
        path = self.folder / "piped"
        done = run("quantize", DEMO, "--to", f"gguf:q4_0={path}", "--judge", "-", "--context", 64, "--json",
                   "--quiet", input=self.text.read_text())  # fmt: skip
        self.assertEqual(json.loads(done.stdout)["judge"], self.said["outputs"][0]["judge"])

    def test_what_cannot_be_judged_is_refused_before_any_work(self):
        short = self.folder / "short"
        short.write_text("Once")
        self.assertRefused("--judge", short, says="shorter than one window")
        self.assertRefused("--judge", self.folder / "missing", says="missing")
        self.assertRefused("--judge", "-", input="", says="nothing in it")
        self.assertRefused("--judge", self.text, "--context", 2, says="context")

    def test_a_report_that_cannot_be_written_is_refused_before_any_work(self):
        self.assertRefused("--report", self.page, says="already exists")
        self.assertRefused("--report", self.folder / "no" / "page.html", says="no such folder")
        self.assertRefused("--report", self.folder / "refused", says="path of an output")

    def test_the_same_run_gives_the_same_page(self):
        page = self.folder / "again.html"
        self.quantize(*self.judge(), "--report", page, "--threads", 1, "--force")
        # The command line, the date and the time it took are of the run.
        def told(path):
            text = re.sub(r"<span>(date|took) <b>.*?</b></span>", "", path.read_text())
            return re.sub(r'(?s)<pre class="line"><code>[^<]* quantize .*?</pre>', "", text, count=1)

        self.assertEqual(told(page), told(self.page))
        self.assertNotEqual(told(page), page.read_text())

    def test_a_folder_has_a_card_with_the_figures(self):
        source = self.folder / "source"
        shutil.copytree(DEMO, source)
        (source / "README.md").write_text("---\nlicense: apache-2.0\nbase_model: some/base\n---\nhello\n")
        (source / "LICENSE").write_text("Do as you please.\n")
        command = ["quantize", source, "--to", f"mlx:int4:g64={self.folder / 'carded'}", "--json", "--quiet"]
        planned = json.loads(run(*command, "--dry-run").stdout)["outputs"][0]["bytes"]
        cards = []
        for options in [], ["--threads", 1], self.judge():
            done = run(*command, "--force", *options)
            self.assertEqual(done.returncode, 0, done.stderr)
            card = (self.folder / "carded/README.md").read_text()
            cards.append(card)
            self.assertEqual(sum(p.stat().st_size for p in (self.folder / "carded").iterdir()), planned)
            for line in ("license: apache-2.0\n", "base_model:\n- some/base\n", "tags:\n- mlx\n"):
                self.assertIn(line, card.split("---\n")[1])
            sqnr = json.loads(done.stdout)["outputs"][0]["sqnr_db"]
            self.assertIn(f"SQNR {sqnr:.2f} dB", card)
            self.assertNotIn(str(self.folder), card)
            self.assertEqual((self.folder / "carded/LICENSE").read_text(), "Do as you please.\n")
        self.assertEqual(cards[0], cards[1])
        self.assertIn("not measured", cards[0])
        kl = json.loads(done.stdout)["judge"]["kl_divergence"]
        self.assertIn(f"{kl['mean']:.6g} +- {kl['se']:.2g}", cards[2])
        self.assertNotIn("not measured", cards[2])

    def test_a_report_without_judge_has_no_judgement(self):
        page = self.folder / "plain.html"
        self.quantize("--report", page, "--force", targets=TARGETS[:1])
        text = page.read_text()
        self.assertIn("Where the error is", text)
        self.assertNotIn("KL divergence", text)

    def test_the_command_is_as_anyone_would_type_it(self):
        self.assertIn(f'<pre class="line"><code>zeropoint quantize {DEMO} ', self.page.read_text())

    def test_notes_of_the_source_are_on_the_page_and_in_inspect(self):
        source, page = self.folder / "noted", self.folder / "noted.html"
        shutil.copytree(DEMO, source)
        (source / "adapter_config.json").write_text('{"peft_type": "LORA"}')
        (source / "adapter_model.safetensors").write_bytes(b"")
        command = ["quantize", source, "--to", f"gguf:q8_0={self.folder / 'noted.gguf'}", "--report", page, "--json"]
        notes = json.loads(run(*command, "--quiet").stdout)["notes"]
        self.assertEqual(len(notes), 1, notes)
        self.assertIn(notes[0], page.read_text())
        self.assertEqual(json.loads(run("inspect", source, "--json").stdout)["notes"], notes)
        self.assertIn(f"notes\n  {notes[0]}\n", run("inspect", source).stdout)

    def test_names_and_texts_are_escaped(self):
        text = self.page.read_text()
        self.assertNotIn(HOSTILE, text)
        self.assertNotIn("<script", text)
        self.assertNotIn("://", text)

    @unittest.skipUnless(chromium.PROGRAM, "no chromium")
    def test_a_browser_shows_all_of_it_and_fetches_nothing(self):
        tensors = self.said["outputs"][0]["tensors"]
        cells = {(tensor["name"].split(".")[1] if tensor["name"].startswith("blk.") else "", tensor["role"])
                 for tensor in tensors if tensor["role"]}  # fmt: skip
        with chromium.Chromium() as browser:
            for width in (1280, 390):
                for scheme in ("light", "dark"):
                    with self.subTest(width=width, scheme=scheme):
                        asked, console = browser.open(self.page, width, scheme)
                        self.assertEqual((asked, console), ([], []))
                        found = browser.evaluate("document.querySelector('section').querySelectorAll('td.cell').length")
                        self.assertEqual(found, len(cells))
                        self.assertEqual(browser.evaluate("document.documentElement.scrollWidth"), width)
                        foreign = browser.evaluate("document.querySelectorAll('img, script, iframe').length")
                        self.assertEqual(foreign, 0)
                        smallest = browser.evaluate(SMALLEST_LETTERS)
                        self.assertGreaterEqual(smallest, 11, "pixels of a chart's letters")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
