"""The Python package, from the build's folder `python`: what the program does, in Python's words.

    PYTHONPATH=BUILD_DIR/python python3 tests/python_test.py PROGRAM
"""

import doctest
import html.parser
import importlib.util
import inspect
import json
import logging
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from dataclasses import fields, is_dataclass
from unittest import mock

import numpy as np
import zeropoint
from zeropoint import results

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
PROJECT = pathlib.Path(__file__).resolve().parent.parent
DEMO = PROJECT / "models/demo"
SMALL = {"tokens": 512, "context": 64}


def program(*words):
    done = subprocess.run([str(word) for word in (PROGRAM, *words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def normal(*shape):
    return np.random.default_rng(1).normal(0, 0.02, shape).astype(np.float32)


class Bar:
    """tqdm's protocol, as far as it goes."""

    made = []

    def __init__(self, *, total, desc, unit, unit_scale):
        self.total, self.desc, self.done, self.closed = total, desc, 0, False
        Bar.made.append(self)

    def update(self, n):
        self.done += n

    def close(self):
        self.closed = True


class InFolder(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.text = self.folder / "text.txt"
        self.text.write_text((DEMO / "heldout.txt").read_text()[:8000])


class JobsTest(InFolder):
    def test_quantize_writes_what_the_program_does_and_says_the_same(self):
        ours, theirs = self.folder / "ours.gguf", self.folder / "theirs.gguf"
        done = zeropoint.quantize(DEMO, f"gguf={ours}", set={"head": "q8_0"}, judge=self.text, context=64)
        said = json.loads(program("quantize", DEMO, "--to", f"gguf={theirs}", "--set", "head=q8_0", "--judge",
                                  self.text, "--context", 64, "--json", "--quiet"))
        self.assertEqual(ours.read_bytes(), theirs.read_bytes())
        [output], [expected] = done.outputs, said["outputs"]
        for name in ("container", "grid", "fidelity", "bytes", "bits_per_weight", "notes"):
            self.assertEqual(getattr(output, name), expected[name], name)
        self.assertEqual(output.quality.sqnr_db, expected["sqnr_db"])
        self.assertEqual(output.judge.compared.kl_divergence.mean, expected["judge"]["kl_divergence"]["mean"])
        self.assertEqual(len(output.tensors), len(expected["tensors"]))
        for tensor, other in zip(output.tensors, expected["tensors"]):
            for name in ("name", "shape", "grid", "bytes"):
                self.assertEqual(getattr(tensor, name), other[name])
        self.assertEqual(done.parameters, said["parameters"])
        self.assertGreater(done.seconds.total, 0)

    def test_a_dry_run_has_the_sizes_and_writes_nothing(self):
        planned = zeropoint.quantize(DEMO, [f"gguf={self.folder / 'a.gguf'}", f"mlx={self.folder / 'm'}"], dry_run=True)
        self.assertEqual(list(self.folder.iterdir()), [self.text])
        self.assertIsNone(planned.outputs[0].quality.sqnr_db)
        done = zeropoint.quantize(DEMO, f"gguf={self.folder / 'a.gguf'}")
        self.assertEqual(planned.outputs[0].bytes, (self.folder / "a.gguf").stat().st_size)
        self.assertEqual(planned.outputs[0].bytes, done.outputs[0].bytes)
        self.assertEqual(planned.parameters, done.parameters)

    def test_a_calibrated_run_and_its_report(self):
        statistics = zeropoint.calibrate(DEMO, self.text, self.folder / "a.statistics", **SMALL)
        program("calibrate", DEMO, "--text", self.text, "--tokens", 512, "--context", 64, "-o", self.folder / "b.statistics",
                "--quiet")
        self.assertEqual((self.folder / "a.statistics").read_bytes(), (self.folder / "b.statistics").read_bytes())
        self.assertEqual(statistics.bytes, (self.folder / "a.statistics").stat().st_size)
        done = zeropoint.quantize(DEMO, f"gguf={self.folder / 'a.gguf'}", statistics=statistics.path, method="gptq",
                                  report=self.folder / "a.html")
        self.assertIsNotNone(done.outputs[0].quality.output_sqnr_db)
        self.assertIsNone(done.outputs[0].distill)
        self.assertIsNone(done.outputs[0].refine)
        self.assertIn("gguf:q4_k_m", (self.folder / "a.html").read_text())
        inside = zeropoint.inspect(statistics.path)
        self.assertIsInstance(inside, results.StatisticsInspection)
        self.assertEqual(inside.tokens, statistics.tokens)

    def test_evaluate_plan_and_inspect_say_what_the_program_does(self):
        found = zeropoint.evaluate(DEMO, self.text, context=64)
        said = json.loads(program("evaluate", DEMO, "--text", self.text, "--context", 64, "--json"))
        self.assertEqual((found.tokens, found.perplexity.value), (said["tokens"], said["perplexity"]))
        self.assertIsNone(found.compared)
        plan = zeropoint.plan(DEMO, to="gguf:q4_0", fit="1G")
        said = json.loads(program("plan", DEMO, "--to", "gguf:q4_0", "--fit", "1G", "--json"))
        self.assertEqual(plan.outputs[0].bytes, said["outputs"][0]["bytes"])
        self.assertIs(plan.outputs[0].fits, True)
        self.assertEqual(zeropoint.plan(parameters="70B").parameters, 70_000_000_000)
        inside = zeropoint.inspect(DEMO)
        said = json.loads(program("inspect", DEMO, "--json"))
        self.assertEqual([t.name for t in inside.tensors], [t["name"] for t in said["tensors"]])
        self.assertEqual(inside.metadata, said["metadata"])

    def test_explanations_show_what_the_program_does(self):
        explain = zeropoint.explain
        for found, words in [
            (explain.number(7.325), ["number", "7.325"]),
            (explain.number(bits="0x1000", in_="fp16"), ["number", "--bits", "0x1000", "--in", "fp16"]),
            (explain.grid("uint8", range=(-20, 1000), value=250), ["grid", "uint8", "--range=-20..1000", "--value", "250"]),
            (explain.tensor(DEMO, "layers.0.up", grid="q4_k"), ["tensor", DEMO, "layers.0.up", "--grid", "q4_k"]),
        ]:
            self.assertEqual(found.text, program("explain", *words))
            self.assertEqual(repr(found), found.text.rstrip("\n"))
        self.assertEqual(explain.number(7.325, in_="fp16").formats[0].value, float(np.float16(7.325)))

    def test_a_models_name_is_looked_for_in_the_cache(self):
        snapshot = self.folder / "models--some--demo/snapshots/0123abc"
        snapshot.parent.mkdir(parents=True)
        snapshot.symlink_to(DEMO)
        (self.folder / "models--some--demo/refs").mkdir()
        (self.folder / "models--some--demo/refs/main").write_text("0123abc")
        with mock.patch.dict(os.environ, HF_HUB_CACHE=str(self.folder)):
            for name in ("some/demo", "some/demo@0123abc"):
                self.assertEqual(zeropoint.inspect(name), zeropoint.inspect(DEMO))
            with self.assertRaisesRegex(zeropoint.Error, "some/other"):
                zeropoint.inspect("some/other")


class ErrorsTest(InFolder):
    def test_errors_have_parts(self):
        with self.assertRaises(zeropoint.Error) as caught:
            zeropoint.inspect("/nowhere/at/all")
        self.assertIn("/nowhere/at/all", caught.exception.where)
        self.assertTrue(caught.exception.what)
        self.assertNotIn("\n", str(caught.exception))
        self.assertNotIsInstance(caught.exception, zeropoint.UsageError)

    def test_requests_that_cannot_be_are_usage_errors(self):
        for wrong in (
            lambda: zeropoint.quantize(DEMO, "gguf:q9_9"),
            lambda: zeropoint.quantize(DEMO, "gguf", method="nothing"),
            lambda: zeropoint.quantize(DEMO, "gguf", memory="2X"),
            lambda: zeropoint.quantize(DEMO, "gguf", tokens="many"),
            lambda: zeropoint.plan(parameters="many"),
            lambda: zeropoint.Grid("int9"),
            lambda: zeropoint.explain.grid("q4_k", range=(0, 1)),
            lambda: zeropoint.explain.grid("uint8", range=(1, 0)),
        ):
            with self.assertRaises(zeropoint.UsageError) as caught:
                wrong()
            self.assertIsInstance(caught.exception, ValueError)

    def test_what_exists_is_kept(self):
        there = self.folder / "there.gguf"
        there.write_text("mine")
        with self.assertRaises(zeropoint.Error):
            zeropoint.quantize(DEMO, f"gguf={there}")
        self.assertEqual(there.read_text(), "mine")
        zeropoint.quantize(DEMO, f"gguf={there}", force=True)
        self.assertGreater(there.stat().st_size, 1_000_000)


class ProgressTest(InFolder):
    def test_every_stage_is_a_bar_that_comes_to_its_end(self):
        Bar.made = []
        zeropoint.quantize(DEMO, f"gguf={self.folder / 'a.gguf'}", calibrate=self.text, progress=Bar, **SMALL)
        self.assertGreater(len(Bar.made), 2)
        for bar in Bar.made:
            self.assertEqual((bar.done, bar.closed), (bar.total, True), bar.desc)

    def test_what_a_bar_raises_ends_the_job(self):
        class Broken(Bar):
            def update(self, n):
                raise RuntimeError("no more")

        with self.assertRaisesRegex(RuntimeError, "no more"):
            zeropoint.quantize(DEMO, f"gguf={self.folder / 'a.gguf'}", calibrate=self.text, progress=Broken)
        self.assertEqual(list(self.folder.iterdir()), [self.text])

    def test_remarks_go_to_the_log(self):
        with self.assertLogs("zeropoint", logging.WARNING) as log:
            zeropoint.evaluate(DEMO, DEMO / "heldout.txt", context=1024)
        self.assertTrue(any("window" in line for line in log.output), log.output)

    def test_ctrl_c_ends_a_job_and_leaves_nothing(self):
        script = (
            "import signal, sys, zeropoint\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)  # where it is ignored, as in background jobs\n"
            "class Bar:\n"
            "    def __init__(self, **_): print('stage', flush=True)\n"
            "    def update(self, n): print('some', flush=True)\n"
            "    def close(self): pass\n"
            "try:\n"
            "    zeropoint.quantize(sys.argv[1], sys.argv[2], calibrate=sys.argv[3], progress=Bar)\n"
            "except KeyboardInterrupt:\n"
            "    print('interrupted')\n"
        )
        job = subprocess.Popen([sys.executable, "-c", script, DEMO, f"gguf={self.folder / 'a.gguf'}",
                                DEMO / "heldout.txt"], stdout=subprocess.PIPE, text=True)
        while job.stdout.readline() != "some\n":
            pass
        begin = time.monotonic()
        job.send_signal(signal.SIGINT)
        said = job.communicate(timeout=60)[0]
        self.assertTrue(said.endswith("interrupted\n"), said)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(list(self.folder.iterdir()), [self.text])

    def test_other_threads_run_meanwhile(self):
        done = threading.Event()

        def work():
            zeropoint.quantize(DEMO, f"gguf={self.folder / 'a.gguf'}", calibrate=self.text, **SMALL)
            done.set()

        job = threading.Thread(target=work)
        job.start()
        turns = 0
        while not done.is_set():
            time.sleep(0.001)
            turns += 1
        job.join()
        self.assertGreater(turns, 20)


class GridTest(unittest.TestCase):
    def test_every_grid_holds_what_it_says(self):
        weights = normal(8, 1024)
        self.assertGreater(len(zeropoint.grids()), 20)
        for spec in zeropoint.grids():
            grid = zeropoint.Grid(spec)
            encoded = grid.encode(weights)
            decoded = encoded.decode()
            self.assertEqual((decoded.shape, decoded.dtype), (weights.shape, np.float32))
            self.assertEqual(encoded.bits_per_weight, grid.bits_per_weight(8, 1024), spec)
            # Nearest codes of a searched scale lose less than zeros would.
            self.assertLess(np.square(weights - decoded).sum(), np.square(weights).sum(), spec)
            # What a grid decodes to is on the grid.
            np.testing.assert_array_equal(grid.decode(zeropoint.Encoded(grid, (8, 1024), encoded.planes)), decoded)

    def test_codes_are_those_of_the_arithmetic(self):
        grid = zeropoint.Grid("int8:channel:sym:s32")
        weights = normal(4, 64)
        scale = np.maximum(weights.max(axis=1, keepdims=True) / 127, -weights.min(axis=1, keepdims=True) / 128)
        encoded = grid.encode(weights, method="nearest")
        codes = encoded.planes["codes"].view(np.int8).reshape(4, 64)
        # FP32 division may land on the other side of a tie: one code.
        self.assertLessEqual(np.abs(codes - np.round(weights / scale)).max(), 1)
        np.testing.assert_allclose(encoded.planes["scales"].view(np.float32), scale[:, 0], rtol=2**-22)

    def test_importance_counts(self):
        weights, importance = normal(16, 256), np.full(256, 1e-3, np.float32)
        importance[:32] = 1
        grid = zeropoint.Grid("int3:channel:sym:s32")

        def error(decoded):
            return float((np.square(weights - decoded) * importance).sum())

        self.assertLess(error(grid.encode(weights, importance=importance).decode()), error(grid.encode(weights).decode()))

    def test_shapes_and_strides(self):
        grid = zeropoint.Grid("q8_0")
        weights = normal(6, 256)
        planes = grid.encode(weights).planes["blocks"]
        for same in (weights.reshape(2, 3, 256), np.hstack([weights, weights])[:, :256], np.asfortranarray(weights),
                     weights.astype(np.float64)):
            encoded = grid.encode(same)
            np.testing.assert_array_equal(encoded.planes["blocks"], planes)
            self.assertEqual(encoded.decode().shape, same.shape)
        self.assertEqual(grid.encode(weights[0]).shape, (256,))
        np.testing.assert_array_equal(grid.encode(weights[::2]).planes["blocks"],
                                      planes.reshape(6, -1)[::2].reshape(-1))

    def test_tensors_with_one_scale(self):
        encoded = zeropoint.Grid("int8:tensor:sym:s32").encode(normal(4, 64))
        self.assertEqual(encoded.planes["scales"].nbytes, 4)

    def test_what_cannot_be_held_is_said(self):
        grid = zeropoint.Grid("q4_0")
        self.assertIn("32", grid.why_not(33))
        self.assertIsNone(grid.why_not(64))
        weights = normal(4, 64)
        weights[2, 5] = np.nan
        for array, said in [(normal(2, 33), "multiple of 32"), (weights, "row 2, column 5"), (normal(0, 32), "0 x 32")]:
            with self.assertRaisesRegex(zeropoint.Error, said):
                grid.encode(array)
        encoded = grid.encode(normal(4, 64))
        with self.assertRaisesRegex(zeropoint.Error, "another size"):
            zeropoint.Encoded(grid, (5, 64), encoded.planes).decode()
        with self.assertRaisesRegex(zeropoint.UsageError, "importance"):
            grid.encode(normal(4, 64), importance=[1, 2])
        with self.assertRaisesRegex(zeropoint.UsageError, "importance"):
            grid.encode(normal(4, 64), importance=np.full(64, -1))

    def test_the_input_is_not_copied(self):
        script = (
            "import resource, numpy as np, zeropoint\n"
            "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
            "weights = np.ones((4096, 8192), np.float32)\n"
            "grid = zeropoint.Grid('int4:g64:sym')\n"
            "before = peak()\n"
            "encoded = grid.encode(weights, method='nearest', threads=1)\n"
            "print(peak() - before, encoded.nbytes, weights.nbytes)\n"
        )
        taken, stored, given = map(int, subprocess.check_output([sys.executable, "-c", script]).split())
        self.assertLess(taken - stored, given / 2)


class ShownTest(InFolder):
    def test_results_show_as_text_and_as_html(self):
        done = zeropoint.quantize(DEMO, f"gguf={self.folder / 'a.gguf'}", judge=self.text, context=64)
        self.assertRegex(repr(done), r"a\.gguf +gguf:q4_k_m +1\.8 MB +5\.063 +2\d\.\d\d dB\n2,754,816 parameters in ")
        self.assertIn("KL divergence", repr(done))
        for result in (done, done.outputs[0], done.outputs[0].judge, zeropoint.inspect(DEMO), zeropoint.plan(DEMO),
                       zeropoint.explain.number(7.325)):
            tags = []

            class Reader(html.parser.HTMLParser):
                def handle_starttag(self, tag, attributes):
                    tags.append(tag)

                def handle_endtag(self, tag):
                    self.case.assertEqual(tags.pop(), tag)

            reader = Reader()
            reader.case = self
            reader.feed(result._repr_html_())
            self.assertEqual(tags, [])
            self.assertGreater(len(repr(result)), 50)

    def test_names_from_files_are_no_tags(self):
        hostile = results.Inspection("<b>", "", 0, 0.0, 0, "{}", [results.InspectedTensor("<script>", "", [1], "", 0)],
                                     [], ["<i>"], [])
        self.assertFalse(re.search("<(b|script|i)>", hostile._repr_html_()))

    def test_every_dataclass_and_argument_is_said(self):
        for name, one in inspect.getmembers(results, is_dataclass):
            self.assertTrue(one.__doc__ and not one.__doc__.startswith(name + "("), name)
            self.assertTrue(fields(one))
        for name in zeropoint.__all__:
            self.assertTrue(getattr(zeropoint, name).__doc__, name)

    def test_options_of_the_program_are_arguments(self):
        for name in ("quantize", "evaluate", "calibrate", "plan", "inspect"):
            options = set(re.findall(r"--([a-z-]+)", program(name, "--help").partition("Examples:")[0]))
            wanted = {o.replace("-", "_") for o in options} - {"help", "json", "quiet", "verbose", "cpu"}
            given = set(inspect.signature(getattr(zeropoint, name)).parameters)
            self.assertEqual(wanted - given - ({"threads"} if name == "plan" else set()), set(), name)


class ReadmeTest(InFolder):
    def test_readmes_session_is_what_happens(self):
        section = (PROJECT / "README.md").read_text().partition("\n## Python\n")[2].partition("\n## ")[0]
        examples = doctest.DocTestParser().get_doctest(section, {}, "README.md", None, None)
        self.assertGreater(len(examples.examples), 4)
        (self.folder / "models").symlink_to(PROJECT / "models")
        before = os.getcwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, before)
        said = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        runner.run(examples, out=said.append)
        self.assertEqual(runner.failures, 0, "".join(said))


@unittest.skipUnless(importlib.util.find_spec("mypy"), "mypy is not here")
class TypesTest(unittest.TestCase):
    def test_the_package_and_its_use_have_types(self):
        with tempfile.TemporaryDirectory() as folder:
            use = pathlib.Path(folder) / "use.py"
            use.write_text(
                "import pathlib\n"
                "import zeropoint\n"
                "done = zeropoint.quantize(pathlib.Path('m'), to=['gguf'], set={'head': 'q8_0'}, progress=True)\n"
                "reveal_type(done.outputs[0].quality.sqnr_db)\n"
                "reveal_type(zeropoint.Grid('q4_k').encode([[1.0]]).decode().dtype)\n"
                "zeropoint.quantize('m')\n"
                "zeropoint.evaluate('m', text=3)\n"
            )
            package = pathlib.Path(zeropoint.__file__).parent
            done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", folder, package, use],
                                  capture_output=True, text=True)
        said = done.stdout
        self.assertIn('Revealed type is "float | None"', said.replace("builtins.", "").replace("Union[float, None]", "float | None"))
        self.assertIn("_32Bit", said)  # float32
        errors = [line for line in said.splitlines() if ": error:" in line]
        self.assertEqual(len(errors), 2, said)
        self.assertIn('Missing positional argument "to"', errors[0])
        self.assertIn('incompatible type "int"', errors[1])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
