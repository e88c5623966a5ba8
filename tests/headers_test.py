"""Every header compiles alone, with the compiler and the flags of the build.

    python3 tests/headers_test.py SOURCE_DIR BUILD_DIR
"""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys


def flags_of(build, source):
    """The compiler and its flags, as the program's main file is compiled."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if pathlib.Path(entry["file"]) == source / "src" / "cli" / "main.cc":
            words = shlex.split(entry["command"])
            if os.path.basename(words[0]) == "ccache":
                words = words[1:]
            return words[: words.index("-o")]
    raise SystemExit("no src/cli/main.cc in compile_commands.json")


def alone(command, text):
    """What the compiler says of a source file holding only `text`; empty if it is content."""
    run = subprocess.run(
        [*command, "-fsyntax-only", "-x", "c++", "-"], input=text, capture_output=True, text=True
    )
    return "" if run.returncode == 0 else run.stderr or "failed"


def main():
    source, build = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
    command = flags_of(build, source)
    assert alone(command, "std::string text;\n"), "self-test: a source that misses an include passed"
    headers = sorted(path.relative_to(source / "src") for path in (source / "src").rglob("*.h"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = pool.map(lambda h: (h, alone(command, f'#include "{h}"\n')), headers)
        failed = [(header, verdict) for header, verdict in verdicts if verdict]
    for header, verdict in failed:
        print(f"src/{header} does not compile alone:\n{verdict}")
    print(f"{len(headers) - len(failed)} of {len(headers)} headers compile alone")
    return 1 if failed or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
