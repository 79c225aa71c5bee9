"""A template's functions, and the files in the folder that they run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from readiness.probes.process import read

_TYPES: Final = {"AWS::Serverless::Function": "CodeUri", "AWS::Lambda::Function": "Code"}
_LAYERS: Final = {"AWS::Serverless::LayerVersion": "ContentUri", "AWS::Lambda::LayerVersion": "Content"}
_BUILT: Final = Path(".aws-sam", "build")
_SCRIPTS: Final = (".js", ".mjs", ".cjs")
_TYPED: Final = (".ts", ".mts", ".cts", ".tsx", ".jsx")
_COMMENTS: Final = re.compile(r"/\*.*?\*/|(?<![:\"'`\w/])//[^\n]*", re.DOTALL)
# What exports names that do not stand in the file.
_ANYTHING: Final = re.compile(
    r"export\s*\*|__exportStar|__export\b|\.\.\.|Object\.assign|exports\s*\[|(?:module\.)?exports\s*=\s*(?!\{)"
)


class NotJudgedError(Exception):
    """The files of a function cannot be judged with certainty."""


@dataclass(frozen=True)
class Function:
    """A function as the template declares it.

    Args:
        logical_id: in the template.
        folder: the template's.
        properties: those of the function, with what `Globals` adds.
        metadata: how SAM builds it.
        code: its `CodeUri` or `Code`.
        layers: the folders of each of its layers; none for a layer whose files are not here.
    """

    logical_id: str
    folder: Path
    properties: Mapping[str, Any]
    metadata: Mapping[str, Any]
    code: object
    layers: Sequence[Sequence[Path]] = ()

    @property
    def language(self) -> str:
        """`python`, `node`, or '' for what is not judged."""
        runtime = str(self.properties.get("Runtime", ""))
        return next(
            (name for name in ("python", "node") if runtime.startswith(name) and not self._is_image), ""
        )

    @property
    def _is_image(self) -> bool:
        return self.properties.get("PackageType") == "Image"

    @property
    def source(self) -> Path:
        """The folder of its source.

        Raises:
            NotJudgedError: its code is no folder that exists.
        """
        if not isinstance(self.code, str) or not (self.folder / self.code).is_dir():
            raise NotJudgedError("its code is no folder that exists here")
        return self.folder / self.code

    @property
    def folders(self) -> Sequence[Path]:
        """Where its files are: the source, and what was built from it."""
        built = self.folder / _BUILT / self.logical_id
        return [self.source, *([built] if built.is_dir() else [])]

    def holds(self, pattern: str) -> bool:
        """Whether the folder of its source has a file of this name, what SAM built apart."""
        source = self.source
        return any(not file.relative_to(source).parts[0].startswith(".") for file in source.rglob(pattern))


def functions(template: Mapping[str, Any], folder: Path) -> list[Function]:
    """The functions of a template whose short forms are written out.

    Args:
        template: its content.
        folder: what its paths are relative to.
    """
    shared = (template.get("Globals") or {}).get("Function") or {}
    found = []
    for logical_id, resource in template["Resources"].items():
        kind = resource.get("Type") if isinstance(resource, Mapping) else None
        if kind in _TYPES:
            own = resource.get("Properties") or {}
            is_sam = "Serverless" in kind
            properties = {**shared, **own} if is_sam else own
            code = properties.get(_TYPES[kind])
            if code is None and is_sam and "InlineCode" not in properties:
                # Source: SAM CLI, SamFunctionProvider: a function without CodeUri is built from the template's folder.
                code = "."
            declared = [*_items(shared.get("Layers") if is_sam else None), *_items(own.get("Layers"))]
            layers = [_with_default(one, template) for one in declared]
            if layers:
                properties = {**properties, "Layers": layers}
            found.append(
                Function(
                    logical_id,
                    folder,
                    properties,
                    resource.get("Metadata") or {},
                    code,
                    [_layer(one, template["Resources"], folder) for one in layers],
                )
            )
    return found


def _items(value: object) -> Sequence[object]:
    """The items of a list; another value, such as a condition, is one unknown item."""
    return value if isinstance(value, list) else [value] if value else []


def _layer(value: object, resources: Mapping[str, Any], folder: Path) -> Sequence[Path]:
    """The folders of a layer of the template: its source, and what was built from it."""
    name = str(value.get("Ref", "")) if isinstance(value, Mapping) else ""
    resource = resources.get(name) or {}
    content = (resource.get("Properties") or {}).get(_LAYERS.get(resource.get("Type", ""), ""))
    if not isinstance(content, str):
        return []
    roots = [folder / content, folder / _BUILT / name]
    return [path for root in roots for path in _places(root) if path.is_dir()]


def _places(layer: Path) -> Iterator[Path]:
    """Where a layer may hold modules. Source: Lambda Developer Guide, "Layer paths for each Lambda runtime"."""
    yield from (layer, layer / "python", *layer.glob("python/lib/python3*/site-packages"))


def _with_default(value: object, template: Mapping[str, Any]) -> object:
    """A value, or the default of the parameter that it refers to."""
    name = value.get("Ref") if isinstance(value, Mapping) else None
    parameter = (template.get("Parameters") or {}).get(name) or {}
    return parameter.get("Default", value)


def handler_problem(function: Function) -> str:
    """Return what is wrong with a function's handler, '' where it is right.

    Raises:
        NotJudgedError: the result is not certain.
    """
    handler = function.properties.get("Handler")
    if not isinstance(handler, str):
        raise NotJudgedError("its handler is not written as a text")
    return _python(function, handler) if function.language == "python" else _node(function, handler)


def _python(function: Function, handler: str) -> str:
    if "BuildMethod" in function.metadata and len(function.folders) == 1:
        raise NotJudgedError("it has a build method of its own and is not built")
    module, _, name = handler.replace("/", ".").rpartition(".")
    if not module:
        return f"expected a handler such as module.function, found {handler}; name both"
    path = Path(*module.split("."))
    files = [
        file
        for folder in function.folders
        for file in (folder / f"{path}.py", folder / path / "__init__.py")
        if file.is_file()
    ]
    if not files:
        _require_certain(function, module, ("*.py",))
        compiled = [
            file for folder in function.folders for file in (folder / path.parent).glob(f"{path.name}.*")
        ]
        if compiled:
            raise NotJudgedError(f"{compiled[0].name} is not read")
        return f"expected {path}.py in {function.code}, found none; correct Handler ({handler}) or CodeUri"
    if not any(_defines(file, name) for file in files):
        return f"expected {name} in {path}.py, found none; define it, or correct Handler ({handler})"
    return ""


def _require_certain(function: Function, module: str, patterns: Sequence[str]) -> None:
    """Raise NotJudgedError where the handler's module may come from elsewhere than the folder."""
    if function.layers:
        raise NotJudgedError("its handler may be in a layer")
    if not any(function.holds(pattern) for pattern in patterns):
        raise NotJudgedError(f"{function.code} holds no source")
    first = re.split(r"[._/-]", module.lower())[0]
    needed = read(function.source / "requirements.txt") + read(function.source / "package.json")
    if re.search(rf"(?m)^\s*\"?@?{re.escape(first)}\b", needed.lower()):
        raise NotJudgedError("its handler may be in a package that it needs")


def _defines(file: Path, name: str) -> bool:
    """Whether a module has a global name; what cannot be excluded counts."""
    try:
        tree = ast.parse(read(file))
    except (SyntaxError, ValueError) as problem:
        raise NotJudgedError(f"{file.name} cannot be read by this Python") from problem
    names = set(_globals(tree.body))
    return bool({name, "*", "__getattr__"} & names) or "globals()" in read(file)


def _globals(statements: Sequence[ast.stmt]) -> Iterator[str]:
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).split(".")[0] for alias in statement.names)
        else:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id
                elif node is not statement and isinstance(node, ast.stmt):
                    yield from _globals([node])


def _node(function: Function, handler: str) -> str:
    folder, _, rest = handler.rpartition("/")
    stem, _, name = rest.partition(".")
    if not name:
        return f"expected a handler such as file.function, found {handler}; name both"
    module = f"{folder}/{stem}" if folder else stem
    files = [
        file
        for root in function.folders
        for suffix in _SCRIPTS
        if (file := root / f"{module}{suffix}").is_file()
    ]
    method = function.metadata.get("BuildMethod")
    if not files and method == "esbuild":
        entries = (function.metadata.get("BuildProperties") or {}).get("EntryPoints") or []
        files = [file for entry in entries if (file := function.source / str(entry)).stem == stem]
        if not [file for file in files if file.is_file()]:
            raise NotJudgedError("esbuild makes its file, and it is not built")
    if not files:
        if method:
            raise NotJudgedError("it has a build method of its own and is not built")
        _require_certain(function, module, [f"*{suffix}" for suffix in _SCRIPTS])
        if [suffix for suffix in _TYPED if (function.source / f"{module}{suffix}").is_file()]:
            raise NotJudgedError("its file has to be compiled first")
        return f"expected {module}.js in {function.code}, found none; correct Handler ({handler}) or CodeUri"
    if not any(_exports(file, name.split(".")[0]) for file in files):
        return f"expected {files[0].name} to export {name}, found no such export; export it, or correct Handler ({handler})"
    return ""


def _exports(file: Path, name: str) -> bool:
    """Whether a module exports a name; what cannot be excluded counts."""
    text = _COMMENTS.sub(" ", read(file))
    if not re.search(r"\bexports?\b", text):
        return False
    # If the file contains the name, only a run can show whether it is exported.
    return bool(re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text) or _ANYTHING.search(text))
