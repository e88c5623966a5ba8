"""The library as other projects have it: installed to a prefix, found by CMake and by pkg-config, used by
GCC and by Clang, showing nothing but what its headers have.

    python3 tests/library_test.py BUILD_DIR
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = pathlib.Path(sys.argv[1]).resolve()
PROJECT = pathlib.Path(__file__).resolve().parent.parent
DEMO = PROJECT / "models/demo"
COMPILERS = ["g++", "clang++"]
STRICT = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


class LibraryTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.prefix = cls.folder / "prefix"
        environment = {**os.environ, "CXX": "g++", "CXXFLAGS": " ".join(STRICT)}
        cls.said = run("bash", "-c", cls.readme(), cwd=PROJECT, env=environment)
        [package] = cls.prefix.rglob("zeropoint.pc")
        cls.package = {**os.environ, "PKG_CONFIG_PATH": str(package.parent)}
        at = cls.folder / "clang++"
        run("cmake", "-G", "Ninja", "-S", PROJECT / "examples", "-B", at, f"-DCMAKE_PREFIX_PATH={cls.prefix}",
            env={**environment, "CXX": "clang++-14"})
        run("cmake", "--build", at)

    @classmethod
    def readme(cls):
        """README's commands, over the build that is there: they install it, and build the examples with GCC."""
        section = (PROJECT / "README.md").read_text().partition("\n## C++\n")[2].partition("\n## ")[0]
        lines = [line.strip() for line in section.splitlines() if line.startswith("    ")]
        assert "--target libzeropoint" in lines[0]
        commands = " && ".join(lines[1:]).replace("build/release", str(BUILD))
        commands = re.sub(r"\bPREFIX\b", str(cls.prefix), commands)
        commands = re.sub(r"\bBUILD\b", str(cls.folder / "g++"), commands)
        return commands.replace("=demo.gguf", f"={cls.folder / 'readme.gguf'}")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_examples_do_what_the_program_does(self):
        model = self.folder / "program.gguf"
        run(BUILD / "zeropoint", "quantize", DEMO, "--to", f"gguf:q4_0={model}", "--quiet")
        for compiler in COMPILERS:
            written = self.folder / f"{compiler}.gguf"
            said = run(self.folder / compiler / "quantize", DEMO, f"gguf:q4_0={written}")
            self.assertRegex(said, r"gguf:q4_0  \d+ bytes  4\.\d+ bits per weight  SQNR 2\d\.\d\d dB")
            self.assertEqual(written.read_bytes(), model.read_bytes())

    def test_every_grid_encodes_and_decodes(self):
        said = [run(self.folder / compiler / "encode") for compiler in COMPILERS]
        lines = said[0].splitlines()
        self.assertGreater(len(lines), 20)
        for line in lines:
            decibels = float(line.split()[-2])
            bits = float(line.split()[1])
            # Normal numbers can't be had any better (Shannon): 20 log10(2) dB for a bit.
            self.assertTrue(decibels == float("inf") or 0 < decibels < 6.0206 * bits, line)
        self.assertIn("int4:g64:min:s32 ", run(self.folder / "g++/encode", "int4:g64:min"))

    def test_an_error_is_one_line(self):
        done = subprocess.run([self.folder / "g++/encode", "int9"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^[^\n]*int9[^\n]*\n$")

    def test_a_job_that_is_cancelled_leaves_nothing(self):
        text = DEMO / "heldout.txt"
        target = self.folder / "cancelled.gguf"
        job = subprocess.Popen([self.folder / "g++/quantize", DEMO, f"gguf={target}", text],
                               stderr=subprocess.PIPE, text=True)
        said = ""
        while "calibrat" not in said:  # the model goes over the text for seconds
            said += job.stderr.read(1)
        begin = time.monotonic()
        job.send_signal(signal.SIGINT)
        said += job.communicate(timeout=60)[1]
        self.assertEqual(job.returncode, 130, said)
        self.assertIn("nothing was written", said)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(list(self.folder.glob("*cancelled*")), [])

    def test_readmes_commands_do_what_they_say(self):
        self.assertRegex(self.said, r"readme\.gguf  gguf:q4_k_m  1\d+ bytes")
        self.assertRegex(self.said, r"int4:g64:min:s32 +5\.000 bits per weight")
        self.assertTrue((self.folder / "readme.gguf").is_file())

    def test_pkg_config_finds_it(self):
        self.assertEqual(run("pkg-config", "--modversion", "zeropoint", env=self.package).strip(), "0.1.0")
        flags = run("pkg-config", "--cflags", "--libs", "zeropoint", env=self.package).split()
        program = self.folder / "version"
        source = "#include <zeropoint/zeropoint.h>\n#include <cstdio>\n" \
                 "int main() { std::puts(std::string(zeropoint::version()).c_str()); }\n"
        run("g++", *STRICT, "-x", "c++", "-", "-o", program, *flags, input=source)
        libraries = next(self.prefix.rglob("libzeropoint.so")).parent
        self.assertEqual(run(program, env={**os.environ, "LD_LIBRARY_PATH": str(libraries)}), "0.1.0\n")

    def test_every_header_compiles_alone(self):
        headers = sorted((self.prefix / "include/zeropoint").glob("*.h"))
        self.assertGreater(len(headers), 7)
        for header in headers:
            run("g++", *STRICT, "-fsyntax-only", "-I", self.prefix / "include", "-x", "c++", "-",
                input=f"#include <zeropoint/{header.name}>\n")

    def test_it_shows_nothing_else(self):
        shown = run("nm", "-DC", "--defined-only", next(self.prefix.rglob("libzeropoint.so"))).splitlines()
        names = [line.split(" ", 2)[2] for line in shown]
        self.assertIn("zeropoint::quantize(zeropoint::QuantizeRequest const&, zeropoint::Work const&)",
                      [name.replace("[abi:cxx11]", "") for name in names])
        ours = re.compile(r"((vtable|typeinfo|typeinfo name) for )?zeropoint::")
        self.assertEqual([name for name in names if not ours.match(name)], [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
