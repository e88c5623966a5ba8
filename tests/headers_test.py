"""Every header compiles alone, with the compiler and the flags of the build.

The build itself shows this of a header that one of its sources includes before all else, as foo.cc and
foo_test.cc do foo.h. The rest are compiled here.

    python3 tests/headers_test.py SOURCE_DIR BUILD_DIR
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys


def commands_of(build):
    """How the build compiles each of its sources."""
    entries = json.loads((build / "compile_commands.json").read_text())
    return {pathlib.Path(entry["file"]).resolve(): entry["command"] for entry in entries}


def flags_of(command):
    """The compiler and its flags."""
    words = shlex.split(command)
    if os.path.basename(words[0]) == "ccache":
        words = words[1:]
    return words[: words.index("-o")]


def first_include(text):
    """What a source file includes before anything else stands in it, or None."""
    found = re.match(r'(?:\s|//[^\n]*\n)*#include "([^"]+)"', text)
    return found and found[1]


def alone(command, path, text):
    """What the compiler says of a source file holding only `text`; empty if it is content. An object is made,
    which takes no longer and which the compiler's cache knows the next time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    made = path.with_suffix(".o")
    run = subprocess.run([*command, "-O0", "-c", path, "-o", made], capture_output=True, text=True)
    return "" if run.returncode == 0 else run.stderr or "failed"


def main():
    source, build = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
    commands = commands_of(build)
    cache = [path] if (path := shutil.which("ccache")) else []
    command = [*cache, *flags_of(commands[source / "src" / "cli" / "main.cc"]), "-I", str(source / "include")]
    folder = build / "headers"
    assert alone(command, folder / "self-test.cc", "std::string text;\n"), "self-test: a source that misses an include passed"
    assert first_include('// A source.\n\n#include "a/b.h"\n#include "a/c.h"\n') == "a/b.h"
    assert first_include('#define A\n#include "a/b.h"\n') is None
    assert first_include('#include <string>\n\n#include "a/b.h"\n') is None
    headers = {str(path.relative_to(source / "src")) for path in (source / "src").rglob("*.h")}
    built = headers & {first_include(path.read_text()) for path in commands}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = pool.map(
            lambda h: (h, alone(command, folder / f"{h}.cc", f'#include "{h}"\n')), sorted(headers - built)
        )
        failed = [(header, verdict) for header, verdict in verdicts if verdict]
    for header, verdict in failed:
        print(f"src/{header} does not compile alone:\n{verdict}")
    print(
        f"{len(headers) - len(failed)} of {len(headers)} headers compile alone, "
        f"{len(built)} of them in the build"
    )
    return 1 if failed or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
