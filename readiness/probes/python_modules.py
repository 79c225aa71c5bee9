"""The Python modules of a function's package: what they define, import and run at their start."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Final

from readiness.errors import Unverified

# Whose calls are not the application's, also where nothing else says that they were installed.
_OF_OTHERS: Final = frozenset({"aws_lambda_powertools", "aws_xray_sdk", "boto3", "botocore", "s3transfer"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Module:
    """One module: what it defines and imports, by name."""

    name: str
    file: str
    tree: ast.Module
    names: dict[str, list[ast.AST]] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for statement in flat(self.tree.body):
            if isinstance(statement, Function | ast.ClassDef):
                self.names.setdefault(statement.name, []).append(statement)
            for name, value in _assigned(statement):
                self.names.setdefault(name, []).append(value)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.split(".")[0]
                    self.imports[alias.asname or first] = (alias.name if alias.asname else first, "")
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = (self.above(node), alias.name)

    def imported(self, nodes: Iterable[ast.AST]) -> Iterator[str]:
        """The modules that some of its nodes import, by name."""
        for node in nodes:
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = self.above(node)
                yield from (above, *(f"{above}.{alias.name}" for alias in node.names))

    def above(self, node: ast.ImportFrom) -> str:
        """The module that names are imported from."""
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        if not self.file.endswith("__init__.py"):
            parts = parts[:-1]
        parts = parts[: len(parts) - node.level + 1]
        return ".".join([*parts, *([node.module] if node.module else [])])


@dataclass(frozen=True)
class Scope:
    """The scope of an expression. `function` is None at a module's start."""

    module: Module
    owner: str = ""
    function: Function | None = None


@dataclass
class Modules:
    """The modules of a function's package that its handler imports.

    Args:
        files: contents by path in the package.
        first: name of the handler's module.
    """

    files: Mapping[str, bytes] = field(repr=False)
    first: str

    @cached_property
    def _installed(self) -> frozenset[str]:
        """First names of what was installed into the package."""
        found = set(_OF_OTHERS)
        for path, content in self.files.items():
            if path.endswith((".dist-info/RECORD", ".egg-info/SOURCES.txt")):
                for line in content.decode("utf-8", "replace").splitlines():
                    found.add(line.split(",")[0].split("/")[0].removesuffix(".py"))
        return frozenset(found)

    @cached_property
    def by_name(self) -> Mapping[str, Module]:
        """The handler's module and all of the package's own that it imports, by name."""
        found: dict[str, Module] = {}
        waiting = [self.first]
        while waiting:
            name = waiting.pop()
            base = name.replace(".", "/")
            path = next((one for one in (f"{base}.py", f"{base}/__init__.py") if one in self.files), None)
            if name in found or path is None or name.split(".")[0] in self._installed:
                continue
            try:
                tree = ast.parse(self.files[path])
            except (ValueError, SyntaxError) as problem:
                raise Unverified(f"{path} cannot be read as Python: {problem}") from problem
            module = found[name] = Module(name, path, tree)
            waiting += module.imported(ast.walk(tree))
        return found

    @cached_property
    def started(self) -> Sequence[Module]:
        """The modules that are imported as soon as the handler's is; others wait for a function that imports them."""
        found: dict[str, Module] = {}
        waiting = [self.first]
        while waiting:
            name = waiting.pop()
            if name in self.by_name and name not in found:
                module = found[name] = self.by_name[name]
                waiting += module.imported(flat(module.tree.body))
        return list(found.values())

    @property
    def scopes(self) -> Sequence[tuple[Scope, ast.AST]]:
        """Every function of the package with its scope, and what runs when its modules are imported."""
        found: list[tuple[Scope, ast.AST]] = []
        for module in self.by_name.values():
            for node in flat(module.tree.body):
                if isinstance(node, Function):
                    found.append((Scope(module, "", node), node))
                elif isinstance(node, ast.ClassDef):
                    found += [
                        (Scope(module, node.name, each), each)
                        for each in node.body
                        if isinstance(each, Function)
                    ]
                else:
                    found.append((Scope(module), node))
        return found

    @cached_property
    def extended(self) -> frozenset[str]:
        """Names of classes that another class of the package derives from."""
        return frozenset(
            last_name(base)
            for module in self.by_name.values()
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ClassDef)
            for base in node.bases
        )

    def body(self, module: Module, owner: str) -> Sequence[ast.stmt]:
        """The statements of a class."""
        return [
            each
            for node in module.names.get(owner, [])
            if isinstance(node, ast.ClassDef)
            for each in node.body
        ]

    def methods(self, module: Module, owner: str) -> Sequence[Function]:
        """The functions of a class."""
        return [one for one in self.body(module, owner) if isinstance(one, Function)]


def flat(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module's start, those in `try` one by one."""
    for statement in statements:
        if isinstance(statement, ast.Try):
            yield from flat([*statement.body, *statement.orelse, *statement.finalbody])
        else:
            yield statement


def _assigned(statement: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Each name that a statement sets, with what it is set to; `...` where that has no text."""
    unknown = ast.Constant(...)
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _paired(target, statement.value)
    elif isinstance(statement, ast.AnnAssign | ast.NamedExpr) and statement.value is not None:
        yield from _paired(statement.target, statement.value)
    elif isinstance(statement, ast.For | ast.AsyncFor | ast.comprehension | ast.AugAssign):
        yield from ((name, unknown) for name in _targets(statement.target))
    elif isinstance(statement, ast.withitem) and statement.optional_vars is not None:
        yield from ((name, unknown) for name in _targets(statement.optional_vars))
    elif isinstance(statement, ast.ExceptHandler) and statement.name:
        yield statement.name, unknown


def _paired(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif (
        isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts)
    ):
        for one, each in zip(target.elts, value.elts, strict=True):
            yield from _paired(one, each)
    else:
        yield from ((name, ast.Constant(...)) for name in _targets(target))


def _targets(node: ast.expr) -> Iterator[str]:
    return (one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))


@cache
def local_values(function: Function) -> Mapping[str, Sequence[ast.expr]]:
    """Return the values that a function assigns, by name. Parameters have none, unless the function assigns them again."""
    found: dict[str, list[ast.expr]] = {}
    shared: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            found.setdefault(node.arg, [])
        elif isinstance(node, ast.Global | ast.Nonlocal):
            shared |= {*node.names}
        elif isinstance(node, Function) and node is not function:
            found.setdefault(node.name, []).append(ast.Constant(...))
        for name, value in _assigned(node):
            found.setdefault(name, []).append(value)
    return {name: values for name, values in found.items() if name not in shared}


def name_of_self(function: Function) -> str:
    """What a method calls its instance."""
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    is_static = any(last_name(one) in ("staticmethod", "classmethod") for one in function.decorator_list)
    return names[0] if names and not is_static else ""


def is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def last_name(node: ast.AST) -> str:
    """The last name of an expression: `client` of `self.client(...)`."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def literal_text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
