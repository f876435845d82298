"""Print every public name with its signature.

``python -m tests.signatures > tests/signatures.txt`` keeps them: what is in that file is what users
call. A change of it is seen in a diff, and belongs into the changelog.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Iterator

import convergekit as ck


def parameter(one: inspect.Parameter) -> str:
    """Return a parameter as it is written."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    text = stars.get(one.kind, "") + one.name
    if one.annotation is not inspect.Parameter.empty:
        text += f": {one.annotation}"
    if one.default is not inspect.Parameter.empty:
        text += f" = {one.default!r}"
    return text


def signature(function: object) -> Iterator[str]:
    """Yield the parameters, a line each, and what is returned."""
    found = inspect.signature(function)  # type: ignore[arg-type]
    keywords = False
    for one in found.parameters.values():
        if one.kind is inspect.Parameter.KEYWORD_ONLY and not keywords:
            keywords = True
            yield "    *"
        yield f"    {parameter(one)}"
    if found.return_annotation is not inspect.Signature.empty:
        yield f"    -> {found.return_annotation}"


def members(one: type) -> Iterator[str]:
    """Yield what a class gives to its users: fields, properties and methods."""
    fields = dataclasses.fields(one) if dataclasses.is_dataclass(one) else ()
    own = {field.name: f"{field.name}: {field.type}" for field in fields}
    ours = [kind for kind in one.__mro__ if kind.__module__.startswith("convergekit")]
    names = {name for kind in ours for name in vars(kind)} | set(own)
    for name in sorted(names):
        if name.startswith("_"):
            continue
        member = inspect.getattr_static(one, name, None)
        if isinstance(member, property | functools.cached_property):
            getter = member.fget if isinstance(member, property) else member.func
            returned = inspect.signature(getter).return_annotation
            yield f"  {name} -> {returned}"
        elif name in own:
            yield f"  {own[name]}"
        elif isinstance(member, staticmethod | classmethod) or callable(member):
            yield f"  {name}"
            yield from (f"  {line}" for line in signature(getattr(one, name)))
        else:
            yield f"  {name} = {member!r}"


def lines() -> Iterator[str]:
    """Yield the whole text, line by line."""
    for name in sorted(ck.__all__):
        one = getattr(ck, name)
        if isinstance(one, type):
            bases = ", ".join(base.__name__ for base in one.__bases__ if base is not object)
            yield f"class {name}({bases})" if bases else f"class {name}"
            if not issubclass(one, BaseException):
                yield from members(one)
        elif callable(one):
            yield name
            yield from signature(one)
        else:
            yield f"{name}: {type(one).__name__}"
        yield ""


if __name__ == "__main__":
    print("\n".join(lines()).rstrip())
