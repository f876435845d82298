"""The structure of the code: folders are concepts, and imports go one way."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import networkx as nx

import convergekit as ck
from tests.signatures import lines

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "convergekit"
MODULES = sorted(PACKAGE.rglob("*.py"))
#: As many as there are concepts; those that came after the plan have a folder each.
MOST_ENTRIES = 42
MOST_MODULES = 25
LONGEST_BODY = 75
#: They bring everything together: the front door, and the face.
TOGETHER = {"stitching", "stitched"}
#: Who may import the face.
ON_THE_FACE = {*("stitching", "stitched", "store", "explore", "cli", "writers", "parts", "report")}


def folder_of(module: str) -> str:
    """Return the folder, or the module at the top, of a module without ``convergekit.``."""
    return module.partition(".")[0]


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(path: Path) -> set[str]:
    """Return the modules that a module imports: at once, within functions, and for types."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("convergekit"):
            module = node.module.removeprefix("convergekit").removeprefix(".")
            names = [f"{module}.{alias.name}".removeprefix(".") for alias in node.names]
            modules = [name for name in names if is_module(name)]
            found.update(modules or ([module] if module else []))
        elif isinstance(node, ast.Import):
            found.update(
                alias.name.removeprefix("convergekit.")
                for alias in node.names
                if alias.name.startswith("convergekit.")
            )
    return found


def is_module(name: str) -> bool:
    path = PACKAGE.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def functions(path: Path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def body_of(node) -> list[ast.stmt]:
    """Return a function's statements after its docstring."""
    has_docstring = ast.get_docstring(node) is not None
    return node.body[1:] if has_docstring else node.body


def test_a_folder_holds_as_much_as_a_reader_takes_in():
    entries = [path for path in PACKAGE.iterdir() if path.name != "__pycache__"]
    assert len(entries) <= MOST_ENTRIES, sorted(path.name for path in entries)
    for folder in {path.parent for path in MODULES}:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= MOST_MODULES, folder


def test_no_module_repeats_the_name_of_its_folder():
    repeating = [path for path in MODULES if path.stem.startswith(f"{path.parent.name}_")]
    assert repeating == []


def test_folders_import_one_way():
    graph = nx.DiGraph()
    for path in MODULES:
        module = name_of(path)
        if not module or module in TOGETHER:
            continue
        for other in imports(path):
            if folder_of(other) not in {folder_of(module), *TOGETHER}:
                graph.add_edge(folder_of(module), folder_of(other))
    cycles = list(nx.simple_cycles(graph))
    assert cycles == [], cycles


def test_the_face_is_known_to_few():
    for path in MODULES:
        module = name_of(path)
        if folder_of(module) in ON_THE_FACE or not module:
            continue
        assert "stitched" not in imports(path), module


def test_the_face_forwards():
    tree = ast.parse((PACKAGE / "stitched.py").read_text("utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    long = [
        node.name
        for one in classes
        for node in one.body
        if isinstance(node, ast.FunctionDef) and len(body_of(node)) > 4
    ]
    assert long == []


def test_arrays_of_integers_are_named_once():
    found = [
        path
        for path in MODULES
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign)
        and any(isinstance(name, ast.Name) and name.id == "IntArray" for name in node.targets)
    ]
    assert found == [PACKAGE / "typing.py"]


def test_no_public_class_has_the_name_of_another():
    places = defaultdict(list)
    for path in MODULES:
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name_of(path))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_bodies_are_short():
    long = {}
    for path in MODULES:
        if "compiled" in path.stem or "compiled" in path.parent.name:
            continue
        for node in functions(path):
            statements = body_of(node)
            if statements:
                length = statements[-1].end_lineno - statements[0].lineno + 1
                if length > LONGEST_BODY:
                    long[f"{name_of(path)}.{node.name}"] = length
    assert long == {}


#: Private parts of pandas, PySpark and Python that have no public twin.
OF_LIBRARIES = {"_getframe", "_pa_array", "_parser", "_safe_raw_sql"}


def test_private_parts_are_seldom_reached_for():
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--select",
            "SLF001",
            "--output-format",
            "concise",
            "convergekit",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    found = [line for line in done.stdout.splitlines() if "SLF001" in line]
    assert len(found) <= 40, "\n".join(found)
    for line in found:
        path, name = Path(ROOT, line.partition(":")[0]), line.split("`")[1]
        own = re.compile(rf"(def |self\.|^    ){name}\b", re.MULTILINE)
        beside = any(own.search(other.read_text("utf-8")) for other in path.parent.glob("*.py"))
        assert beside or name in OF_LIBRARIES, line


def test_the_page_on_architecture_lists_every_module_of_every_folder():
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    listed = {
        found[1]: set(re.findall(r"`(\w+/?)`", found[2]))
        for found in re.finditer(r"^\| `(\w+)/` \| [^|]* \| ([^|]*) \|$", page, re.MULTILINE)
    }
    there = defaultdict(set)
    for path in MODULES:
        *folders, name = path.relative_to(PACKAGE).with_suffix("").parts
        if folders and name not in ("__init__", "__main__"):
            there[folders[0]] |= {name, *(f"{folder}/" for folder in folders[1:])}
    assert listed == there


def public_callables():
    """Yield what users call, with what it says that it returns."""
    for name in ck.__all__:
        one = getattr(ck, name)
        if not isinstance(one, type):
            if callable(one):
                yield name, one
            continue
        for member in vars(one):
            if not member.startswith("_"):
                found = inspect.getattr_static(one, member)
                if isinstance(found, property | functools.cached_property):
                    yield f"{name}.{member}", getattr(found, "fget", None) or found.func
                elif inspect.isfunction(found) or isinstance(found, classmethod | staticmethod):
                    yield f"{name}.{member}", getattr(one, member)


#: What is neither ours nor a built-in: the libraries by their usual short names, and aliases.
ELSEWHERE = re.compile(
    r"^(np|pd|pa|pl|go|nx|ibis|pandera)\.|^(Path|IntArray|BoolArray|FloatArray|Rule)$"
)


def test_what_a_public_call_returns_can_be_imported():
    unnamed = {}
    for name, function in public_callables():
        said = inspect.signature(function).return_annotation
        assert said is not inspect.Signature.empty, name
        names = re.findall(r"[A-Za-z_][\w.]*", str(said))
        unnamed[name] = [
            one
            for one in names
            if one not in ck.__all__
            and not hasattr(builtins, one)
            and one not in ("Any", "Iterator", "Iterable", "Sequence", "Mapping", "Callable")
            and not ELSEWHERE.match(one)
        ]
    assert {name: found for name, found in unnamed.items() if found} == {}


def test_no_public_call_takes_options_without_names():
    anything = [
        name
        for name, function in public_callables()
        for one in inspect.signature(function).parameters.values()
        if one.kind is one.VAR_KEYWORD and not str(one.annotation).startswith("Unpack")
    ]
    assert anything == []


def test_public_signatures_are_those_that_the_changelog_knows():
    kept = (ROOT / "tests" / "signatures.txt").read_text("utf-8")
    assert "\n".join(lines()).rstrip() + "\n" == kept, (
        "python -m tests.signatures > tests/signatures.txt, and say in CHANGELOG.md what changed"
    )


def test_tests_do_not_import_from_benchmarks():
    found = [
        path
        for path in (ROOT / "tests").rglob("*.py")
        if re.search(r"^(from|import) benchmarks\b", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert found == []


def test_a_result_is_one_line_and_print_shows_more():
    s = ck.stitch(ck.simulate_store().events)
    funnel = s.funnel(["PageView", "Placed Order"], within="7D")
    journeys = s.journeys(end="Placed Order")
    results = [
        *(funnel, funnel.time_to_convert(), journeys, journeys.differences(min_profiles=5)),
        *(
            s.report,
            s.customers(),
            s.retention(),
            s.orphans("Placed Order"),
            s.hindsight("Placed Order"),
        ),
        *(s.without("cart_token"), s.attribution("Placed Order")),
        *(s.attribution_lift("Placed Order"), s.forget(s.profiles["profile_id"][0])),
        *(ck.check_up(s.events), ck.compare_profiles(s, ck.stitch(s.events))),
    ]
    for one in results:
        line = repr(one)
        assert re.fullmatch(rf"{type(one).__name__}\(.+\)", line), line
        assert " at 0x" not in line
        assert len(str(one)) > len(line) or "\n" in str(one) or "no findings" in line
        assert one._repr_html_().count('<div class="ck-card">') == 1
        assert "<script" not in one._repr_html_()
