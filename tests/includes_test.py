"""Includes point downward only.

Reads the floors from CMakeLists.txt (zp_library lines and their "# floor N" comments) and every
#include "folder/..." under src. A folder may include its own files and those of the folders that
it links, directly or through them; it may link only what stands on a lower floor. ("# floor 1,
second step" stands between floor 1 and floor 2.)

    python3 tests/includes_test.py SOURCE_DIR
"""

import pathlib
import re
import sys
import tempfile

FLOOR = re.compile(r"#\s*floor (\d+)(, second step)?")
LIBRARY = re.compile(r"^zp_library\((\w+)([^)]*)\)")
PROGRAM = re.compile(r"^zp_sources\(zeropoint src/(\w+)\)")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
SOURCES = {".h", ".cc", ".inc", ".def"}


def read_house(cmake):
    """({folder: floor}, {folder: folders it links directly})."""
    floors, links = {}, {}
    floor = None
    for line in cmake.splitlines():
        stated = FLOOR.search(line)
        if stated and not line.lstrip().startswith("#"):
            floor = int(stated[1]) + (0.5 if stated[2] else 0)
        library, program = LIBRARY.match(line), PROGRAM.match(line)
        if library:
            words = library[2].split()
            at = words.index("FLOORS") if "FLOORS" in words else len(words)
            listed = []
            for word in words[at + 1 :]:
                if word.isupper():
                    break
                listed.append(word)
            floors[library[1]], links[library[1]] = floor, listed
        elif program:
            floors[program[1]], links[program[1]] = floor, list(floors)
    return floors, links


def reach(folder, links):
    """Folders that `folder` links, directly or through others, and itself."""
    seen, todo = set(), [folder]
    while todo:
        at = todo.pop()
        if at not in seen:
            seen.add(at)
            todo += links.get(at, [])
    return seen


def problems(source):
    floors, links = read_house((source / "CMakeLists.txt").read_text())
    for folder, linked in links.items():
        for other in linked:
            if other not in floors:
                yield f"CMakeLists.txt: {folder} links {other}, which is no folder above it"
            elif floors[other] >= floors[folder]:
                yield f"CMakeLists.txt: {folder} (floor {floors[folder]}) links {other} (floor {floors[other]})"
    for path in sorted((source / "src").rglob("*")):
        if path.suffix not in SOURCES:
            continue
        name = path.relative_to(source)
        folder = name.parts[1]
        if folder not in floors:
            yield f"{name}: no zp_library for src/{folder}"
            continue
        allowed = reach(folder, links)
        for include in INCLUDE.findall(path.read_text()):
            target = include.split("/")[0] if "/" in include else None
            if target not in floors:
                yield f'{name}: "{include}" names no folder of src'
            elif not (source / "src" / include).is_file():
                yield f'{name}: "{include}" is no file'
            elif target not in allowed:
                yield f'{name} (floor {floors[folder]}): "{include}" (floor {floors[target]}) is not below it'


def self_test():
    """Planted faults are found, and a sound house passes."""
    cmake = (
        "zp_library(base)  # floor 0\n"
        "zp_library(number FLOORS base)  # floor 1\n"
        "zp_library(kernel FLOORS base)\n"
        "zp_library(grid FLOORS number LIBS other::lib)  # floor 2\n"
        "add_executable(zeropoint)  # floor 6\n"
        "zp_sources(zeropoint src/cli)\n"
    )
    sound = {
        "base/a.h": "",
        "number/n.h": '#include "base/a.h"\n#include <vector>\n',
        "kernel/k.h": "",
        "grid/g.cc": '#include "number/n.h"\n#include "base/a.h"\n#include "grid/h.h"\n',
        "grid/h.h": "",
        "cli/main.cc": '#include "kernel/k.h"\n#include "grid/h.h"\n',
    }
    faults = [
        ("base/b.h", '#include "number/n.h"\n', "is not below"),
        ("kernel/b.cc", '#  include "number/n.h"\n', "is not below"),
        ("grid/b_test.cc", '#include "kernel/k.h"\n', "is not below"),
        ("number/b.inc", '#include "n.h"\n', "names no folder"),
        ("number/b.h", '#include "nowhere/n.h"\n', "names no folder"),
        ("number/b.h", '#include "base/missing.h"\n', "is no file"),
        ("stray/b.h", "", "no zp_library"),
        ("../CMakeLists.txt", cmake + "zp_library(late FLOORS grid)  # floor 1\n", "links grid"),
    ]
    for path, text, expected in [(None, "", None), *faults]:
        with tempfile.TemporaryDirectory() as folder:
            house = pathlib.Path(folder)
            for name, content in {"../CMakeLists.txt": cmake, **sound, **({path: text} if path else {})}.items():
                file = house / "src" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.resolve().write_text(content)
            found = list(problems(house))
            fine = not found if expected is None else len(found) == 1 and expected in found[0]
            assert fine, f"self-test, {path}: {found}"


def main():
    self_test()
    source = pathlib.Path(sys.argv[1]).resolve()
    found = list(problems(source))
    floors, _ = read_house((source / "CMakeLists.txt").read_text())
    assert len(floors) > 5, f"only {len(floors)} folders read from CMakeLists.txt"
    print("\n".join(found) or f"{len(floors)} folders, every include points down")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
