"""Puts the modules of the page into one file, which is smaller than many, and is asked for once.

Nothing is renamed or rewritten: each module keeps a scope of its own, which is run when it is first
needed, once. Knows the few forms of `import` and `export` that the page is written in; no page.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

ONCE = "const $once = (make) => {\nlet made;\nreturn () => (made ??= make());\n};\n"
_STATIC = re.compile(r"""(?m)^import (?P<what>[^"';]+?) from ["'](?P<path>[^"']+)["'];\n?""")
_DYNAMIC = re.compile(r"""\bimport\(["'](?P<path>[^"']+)["']\)""")
_EXPORT = re.compile(
    r"(?m)^export (?P<default>default )?(?P<kind>(?:async )?function|const|class) (?P<name>\w+)"
)
_LIST = re.compile(r"(?m)^export \{(?P<names>[^}]*)\};\n?")
_LEFT = re.compile(r"(?m)^\s*(?:import|export)\b.*|\bimport\(.*")


def bundle(modules: Mapping[str, str], entry: str) -> str:
    """One module that does what `entry` does; `modules` are texts by path.

    A module stands after those that it needs, which is smaller, packed, than by name; what it
    imports of others than these stays an import. Raises ValueError for a form of import or export
    that is not known.
    """
    outside: dict[str, None] = {}
    scopes = [_scope(path, modules, outside) for path in _needed(modules, entry)]
    return "".join([*outside, ONCE, *scopes, f"{_named(entry)}();\n"])


def _needed(modules: Mapping[str, str], entry: str) -> list[str]:
    """The modules that one needs, and itself, each after its own."""
    order: dict[str, None] = {}
    seen = set()

    def visit(path: str) -> None:
        if path in modules and path not in seen:
            seen.add(path)
            for form in (_STATIC, _DYNAMIC):
                for found in form.finditer(modules[path]):
                    visit(_beside(path, found))
            order[path] = None

    visit(entry)
    return list(order)


def _beside(path: str, found: re.Match[str]) -> str:
    """The path of what a module imports."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), found["path"]))


def _scope(path: str, modules: Mapping[str, str], outside: dict[str, None]) -> str:
    """A module as `const $name = $once(() => { ...; return { what it exports }; });`."""
    names: dict[str, str] = {}

    def taken(found: re.Match[str]) -> str:
        if (target := _beside(path, found)) not in modules:
            outside[found[0]] = None
            return ""
        what = found["what"].removeprefix("* as ").replace(" as ", ": ")
        return f"const {what} = {_named(target)}();\n"

    def given(found: re.Match[str]) -> str:
        names["default" if found["default"] else found["name"]] = found["name"]
        return f"{found['kind']} {found['name']}"

    def listed(found: re.Match[str]) -> str:
        names.update({each: each for each in re.findall(r"\w+", found["names"])})
        return ""

    text = _EXPORT.sub(given, _LIST.sub(listed, _STATIC.sub(taken, modules[path])))
    text = _DYNAMIC.sub(
        lambda found: f"Promise.resolve().then({_named(_beside(path, found))})", text
    )
    if wrong := _LEFT.search(text):
        raise ValueError(f"{path}: {wrong[0].strip()}")
    told = ", ".join(each if each == name else f"{each}: {name}" for each, name in names.items())
    return f"const {_named(path)} = $once(() => {{\n{text}return {{ {told} }};\n}});\n"


def _named(path: str) -> str:
    return "$" + re.sub(r"\W", "_", path.removesuffix(".js"))
