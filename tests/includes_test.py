"""Includes point downward only.

Reads the floors from CMakeLists.txt (zp_library lines and their "# floor N" comments) and every
#include "folder/..." under src. A folder may include its own files and those of the folders that it
links; it includes some file of each of them, and all stand on lower floors. ("# floor 1, second
step" stands between floor 1 and floor 2.) What libzeropoint shows, include/zeropoint, is included by src/api
alone, and includes itself and the standard library.

    python3 tests/includes_test.py SOURCE_DIR
"""

import pathlib
import re
import sys
import tempfile

FLOOR = r"(?:[^\n]*# floor (\d+)(, second step)?)?"
LIBRARY = re.compile(r"^\s*zp_library\((\w+)([^)]*)\)" + FLOOR, re.MULTILINE)
PROGRAM = re.compile(r"^target_link_libraries\(zeropoint PRIVATE([^)]*)\)" + FLOOR, re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
ANY_INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)
SOURCES = {".h", ".cc", ".inc", ".def"}


def read_house(cmake):
    """({folder: floor}, {folder: folders it links})."""
    floors, links = {}, {}
    floor = None
    for folder, words, number, second in LIBRARY.findall(cmake):
        if number:
            floor = int(number) + (0.5 if second else 0)
        floors[folder] = floor
        links[folder] = re.sub(r".*\bFLOORS\b|\bLIBS\b.*", "", words, flags=re.DOTALL).split()
    for words, number, _ in PROGRAM.findall(cmake):
        floors["cli"] = int(number)
        links["cli"] = [word.removeprefix("zp_") for word in words.split() if word.startswith("zp_")]
    return floors, links


def problems(source):
    floors, links = read_house((source / "CMakeLists.txt").read_text())
    unused = set()
    for folder, other in ((folder, other) for folder, linked in links.items() for other in linked):
        if other not in floors:
            yield f"CMakeLists.txt: {folder} links {other}, which is no folder"
        elif floors[other] >= floors[folder]:
            yield f"CMakeLists.txt: {folder} (floor {floors[folder]}) links {other} (floor {floors[other]})"
        else:
            unused.add((folder, other))
    for path in sorted((source / "src").rglob("*")):
        if path.suffix not in SOURCES:
            continue
        name = path.relative_to(source)
        folder = name.parts[1]
        if folder not in floors:
            yield f"{name}: no zp_library for src/{folder}"
            continue
        for include in INCLUDE.findall(path.read_text()):
            target = include.split("/")[0] if "/" in include else None
            unused.discard((folder, target))
            if (folder, target) == ("api", "zeropoint"):
                if not (source / "include" / include).is_file():
                    yield f'{name}: "{include}" is no file'
            elif target not in floors:
                yield f'{name}: "{include}" names no folder of src'
            elif not (source / "src" / include).is_file():
                yield f'{name}: "{include}" is no file'
            elif target not in (folder, *links[folder]):
                yield f'{name}: "{include}", but {folder} does not link {target}'
    for path in sorted((source / "include").rglob("*.h")):
        for include in ANY_INCLUDE.findall(path.read_text()):
            shown = include.startswith("zeropoint/") and (source / "include" / include).is_file()
            if not shown and not re.fullmatch("[a-z_]+", include):
                yield f'{path.relative_to(source)}: "{include}" is neither shown nor of the standard library'
    for folder, other in sorted(unused):
        yield f"CMakeLists.txt: {folder} links {other} and includes nothing of it"


def self_test():
    """Planted faults are found, and a sound house passes."""
    cmake = (
        "zp_library(base)  # floor 0\n"
        "zp_library(number FLOORS base)  # floor 1\n"
        "zp_library(kernel FLOORS base)\n"
        "zp_library(grid FLOORS base\n           number LIBS other::lib)  # floor 2\n"
        "target_link_libraries(zeropoint PRIVATE zp_kernel zp_grid other::lib)  # floor 6\n"
        "  zp_library(api FLOORS grid)  # floor 6\n"
    )
    sound = {
        "base/a.h": "",
        "number/n.h": '#include "base/a.h"\n#include <vector>\n',
        "kernel/k.h": '#include "base/a.h"\n',
        "grid/g.cc": '#include "number/n.h"\n#include "base/a.h"\n#include "grid/h.h"\n',
        "grid/h.h": "",
        "cli/main.cc": '#include "kernel/k.h"\n#include "grid/h.h"\n',
        "api/g.cc": '#include "zeropoint/g.h"\n#include "grid/h.h"\n',
        "../include/zeropoint/g.h": '#include <vector>\n#include "zeropoint/e.h"\n',
        "../include/zeropoint/e.h": "",
    }
    faults = [
        ("base/b.h", '#include "number/n.h"\n', "base does not link number"),
        ("kernel/b.cc", '#  include "number/n.h"\n', "kernel does not link number"),
        ("grid/b_test.cc", '#include "kernel/k.h"\n', "grid does not link kernel"),
        ("cli/b.cc", '#include "base/a.h"\n', "cli does not link base"),
        ("number/b.inc", '#include "n.h"\n', "names no folder"),
        ("number/b.h", '#include "nowhere/n.h"\n', "names no folder"),
        ("number/b.h", '#include "base/missing.h"\n', "is no file"),
        ("stray/b.h", "", "no zp_library"),
        ("kernel/k.h", "", "kernel links base and includes nothing of it"),
        ("api/b.cc", '#include "zeropoint/missing.h"\n', "is no file"),
        ("api/b.cc", '#include "number/n.h"\n', "api does not link number"),
        ("cli/b.cc", '#include "zeropoint/g.h"\n', "names no folder"),
        ("../include/zeropoint/b.h", '#include "grid/h.h"\n', "neither shown"),
        ("../include/zeropoint/b.h", "#include <fmt/core.h>\n", "neither shown"),
        ("../CMakeLists.txt", cmake.replace("kernel FLOORS base", "kernel FLOORS base cli"), "links cli (floor 6)"),
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
