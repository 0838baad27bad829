"""Print how long the files and functions of the library are.

A measure to look at, not a limit to game: it never fails. What stands out should be short of
reasons to be split, or say beside it why it is as long as it is.

A function's length is its lines from ``def`` to the end, without its docstring: documenting
well must not look like growing.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LONG_FILE = 400
LONG_FUNCTION = 40

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class Length(NamedTuple):
    """How many lines something has, and where it is."""

    lines: int
    place: str


def docstring_lines(node: FunctionNode) -> int:
    """Count the lines of a function's docstring."""
    if ast.get_docstring(node, clean=False) is None:
        return 0
    docstring = node.body[0]
    return (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1


def functions(tree: ast.Module, place: str) -> Iterator[Length]:
    """Measure every function in a module, those within others too."""
    for node in ast.walk(tree):
        if isinstance(node, FunctionNode):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Length(lines - docstring_lines(node), f"{place}:{node.lineno} {node.name}")


def print_long(what: str, lengths: list[Length], limit: int) -> None:
    """Print what is longer than the limit, the longest first."""
    long = sorted((length for length in lengths if length.lines > limit), reverse=True)
    print(f"{what} over {limit} lines: {len(long)}")
    for lines, place in long:
        print(f"{lines:>8}  {place}")


def main() -> None:
    """Measure the library and print the report."""
    files: list[Length] = []
    defs: list[Length] = []
    for path in sorted((ROOT / "src" / "callboard").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        place = str(path.relative_to(ROOT))
        files.append(Length(len(source.splitlines()), place))
        defs.extend(functions(ast.parse(source), place))

    total = sum(length.lines for length in files)
    middle = median(length.lines for length in defs) if defs else 0
    print(f"lengths: {len(files)} files, {total} lines; {len(defs)} functions, median {middle:g}")
    print_long("files", files, LONG_FILE)
    print_long("functions", defs, LONG_FUNCTION)


if __name__ == "__main__":
    main()
