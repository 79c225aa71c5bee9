"""The calls to AWS that a function's code certainly makes, read from its source.

The opposite of `called_actions`: unclear code is left out here, so that every reported call is made. A call counts where
its client has a literal service name and the handler reaches it over names that can be resolved. Third-party packages,
clients with credentials or an endpoint of their own, and functions that read an unset variable are left out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Final

from botocore import xform_name
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from readiness.errors import Unverified

# Whose calls are not the application's, also where nothing else says that they were installed.
_OF_OTHERS: Final = frozenset({"aws_lambda_powertools", "aws_xray_sdk", "boto3", "botocore", "s3transfer"})
_OTHERWISE: Final = frozenset({"endpoint_url", "profile_name"})
"""Options of a client that may change the server or the identity of its calls, besides those that begin with `aws_`."""
_NOT_NAMED: Final = frozenset(
    {"__init__", "__post_init__", "__enter__", "__exit__", "__aenter__", "__aexit__"}
)
"""What Python calls of a class without naming it."""
_PROPERTIES: Final = frozenset({"property", "cached_property"})
_HELPERS: Final[Mapping[str, Mapping[str, str]]] = {
    "s3": {
        "upload_file": "put_object",
        "upload_fileobj": "put_object",
        "download_file": "get_object",
        "download_fileobj": "get_object",
        "generate_presigned_post": "put_object",
    },
    "dynamodb": {"batch_writer": "batch_write_item"},
}
"""Methods that boto3 adds to its clients and tables, with the operation that each needs. Source: boto3's documentation."""
_TABLE: Final = frozenset(
    {"get_item", "put_item", "update_item", "delete_item", "query", "scan", "batch_writer", "load", "reload"}
)
_ROUTERS: Final = frozenset({"any", "delete", "get", "head", "patch", "post", "put", "resolver", "route"})
"""Decorators that have a router call a function. Source: Powertools for AWS Lambda, Flask, FastAPI."""
_LEVELS: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
"""Methods of a logger."""
_BY_NAME: Final = frozenset({"get_paginator", "generate_presigned_url"})
"""Methods whose first argument names an operation."""


@dataclass(frozen=True)
class Call:
    """One call to AWS.

    Args:
        service: botocore's name of it, such as `stepfunctions`.
        operation: AWS's name of it, such as `StartExecution`.
        place: file and line.
        arguments: names of the arguments; `**` where some are not spelt.
        words: texts among the arguments.
    """

    service: str
    operation: str
    place: str
    arguments: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Known:
    """The meaning of an expression.

    Args:
        kind: boto3, session, factory, client, resource, table, module, function, class, instance, method.
        name: the name of a service, module, function or class.
        module: the module that defines it.
        owner: the class of a method.
    """

    kind: str
    name: str = ""
    module: str = ""
    owner: str = ""


@cache
def model(service: str) -> ServiceModel | None:
    """Botocore's model of a service, without a client; None where it does not know the service."""
    try:
        return ServiceModel(Loader().load_service_model(service, "service-2"), service)
    except (UnknownServiceError, DataNotFoundError):
        return None


@cache
def operations(service: str) -> Mapping[str, str]:
    """The operations of a service by their method; none where botocore does not know the service."""
    known = model(service) if service else None
    return {xform_name(name): name for name in known.operation_names} if known else {}


_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class _Module:
    name: str
    file: str
    tree: ast.Module
    names: dict[str, list[ast.AST]] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for statement in _flat(self.tree.body):
            if isinstance(statement, _Function | ast.ClassDef):
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
class _Scope:
    """The scope of an expression. `function` is None at a module's start."""

    module: _Module
    owner: str = ""
    function: _Function | None = None


@dataclass
class Package:
    """A function's package, and the calls of one handler in it.

    Args:
        files: contents by path in the package.
        handler: `package.module.function`, as in the function's configuration.
        environment: the function's variables.
    """

    files: Mapping[str, bytes] = field(repr=False)
    handler: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    _asked: set[tuple[str, str, str]] = field(default_factory=set, repr=False)
    _cuts: int = field(default=0, repr=False)
    _inferred: dict[tuple[int, str, int, bool], _Known | None] = field(default_factory=dict, repr=False)

    @property
    def calls(self) -> Sequence[Call]:
        """Every call that is made for certain, in the order of files and lines.

        Raises:
            Unverified: the handler's source cannot be read.
        """
        module, _, name = self.handler.replace("/", ".").rpartition(".")
        if module not in self._modules or name not in self._modules[module].names:
            raise Unverified(
                f"expected the handler {self.handler} in Python in the package, found none; check Handler and CodeUri"
            )
        found = {call for scope, node in self._reached(module, name) if (call := self._call(node, scope))}
        return sorted(
            found, key=lambda one: (one.place.rpartition(":")[0], int(one.place.rpartition(":")[2]))
        )

    # ------------------------------------------------------------------ what belongs to it

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
    def _modules(self) -> Mapping[str, _Module]:
        """The handler's module and all of the package's own that it imports, by name."""
        found: dict[str, _Module] = {}
        waiting = [self.handler.replace("/", ".").rpartition(".")[0]]
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
            module = found[name] = _Module(name, path, tree)
            waiting += module.imported(ast.walk(tree))
        return found

    @cached_property
    def _started(self) -> Sequence[_Module]:
        """The modules that are imported as soon as the handler's is; others wait for a function that imports them."""
        found: dict[str, _Module] = {}
        waiting = [self.handler.replace("/", ".").rpartition(".")[0]]
        while waiting:
            name = waiting.pop()
            if name in self._modules and name not in found:
                module = found[name] = self._modules[name]
                waiting += module.imported(_flat(module.tree.body))
        return list(found.values())

    # ------------------------------------------------------------------ what the handler reaches

    def _reached(self, module: str, handler: str) -> Iterator[tuple[_Scope, ast.AST]]:
        """Every node of code that runs when the handler's module is imported or the handler is called."""
        seen: set[int] = set()
        waiting: list[tuple[_Scope, ast.AST, bool]] = [
            (_Scope(one), each, True) for one in self._started for each in _flat(one.tree.body)
        ]
        waiting += self._meant(_Known("function", handler, module))
        while waiting:
            scope, node, at_import = waiting.pop()
            if id(node) in seen or (at_import and isinstance(node, _Function | ast.ClassDef)):
                continue
            seen.add(id(node))
            if self._asks_for_unset(node, scope):
                continue
            # What a module assigns may be functions that another handler uses; they count where the name is used.
            lazy = at_import and isinstance(node, ast.Assign | ast.AnnAssign)
            nodes = list(_certain(node, without_lambdas=lazy))
            called = {id(each.func) for each in nodes if isinstance(each, ast.Call)}
            for each in nodes:
                if not isinstance(each, ast.Attribute) or id(each) not in called:
                    yield scope, each
                if isinstance(each, ast.Name | ast.Attribute) and (not lazy or id(each) in called):
                    waiting += self._named(each, scope)
                known = self._infer(each.func, scope) if isinstance(each, ast.Call) else None
                if known is not None and known.kind == "instance":
                    waiting += self._meant(_Known("method", "__call__", known.module, known.name))

    def _named(self, node: ast.Name | ast.Attribute, scope: _Scope) -> Iterator[tuple[_Scope, ast.AST, bool]]:
        """The code that a name brings into use."""
        if (known := self._infer(node, scope, as_property=False)) is not None:
            yield from self._meant(known)
        if (held := self._holder(node, scope)) is None:
            return
        module, name = held
        for value in module.names.get(name, []):
            if not isinstance(value, _Function | ast.ClassDef):
                yield _Scope(module), value, False
        for each in _flat(module.tree.body):
            if isinstance(each, _Function) and any(_routes(one, name) for one in each.decorator_list):
                yield _Scope(module, "", each), each, False

    def _holder(self, node: ast.AST, scope: _Scope) -> tuple[_Module, str] | None:
        """The module and the name in it that an expression refers to."""
        if isinstance(node, ast.Name):
            if scope.function is not None and node.id in _locals(scope.function):
                return None
            if node.id in scope.module.names:
                return scope.module, node.id
            above, name = scope.module.imports.get(node.id, ("", ""))
            return (self._modules[above], name) if name and above in self._modules else None
        if isinstance(node, ast.Attribute):
            base = self._infer(node.value, scope)
            if base is not None and base.kind == "module" and base.name in self._modules:
                return self._modules[base.name], node.attr
        return None

    def _meant(self, known: _Known) -> list[tuple[_Scope, ast.AST, bool]]:
        """The code that runs where something is used."""
        module = self._modules.get(known.module)
        if module is None:
            return []
        if known.kind == "function":
            return [
                (_Scope(module, "", node), node, False)
                for node in module.names.get(known.name, [])
                if isinstance(node, _Function)
            ] or [(_Scope(module), node, False) for node in module.names.get(known.name, [])]
        if known.kind in ("class", "method"):
            owner = known.name if known.kind == "class" else known.owner
            wanted = _NOT_NAMED if known.kind == "class" else {known.name}
            return [
                (_Scope(module, owner, node), node, False)
                for node in self._methods(module, owner)
                if node.name in wanted
            ]
        return []

    def _asks_for_unset(self, node: ast.AST, scope: _Scope) -> bool:
        """Whether code depends on a variable that is not set, or on what one is set to; what only logs decides nothing."""
        for each in ast.walk(node):
            tests: Sequence[ast.expr] = ()
            if isinstance(each, ast.If) and _only_logs([*each.body, *each.orelse]):
                continue
            if isinstance(each, ast.If | ast.IfExp | ast.While):
                tests = [each.test]
            elif isinstance(each, ast.BoolOp):
                tests = each.values
            for test in tests:
                if self._is_main(test):
                    return True
                variables = {name for one in ast.walk(test) for name in self._variables(one, scope)}
                if variables and (
                    any(isinstance(one, ast.Compare) for one in ast.walk(test))
                    or not all(self.environment.get(name) for name in variables)
                ):
                    return True
        return False

    @staticmethod
    def _is_main(test: ast.expr) -> bool:
        return any(isinstance(one, ast.Name) and one.id == "__name__" for one in ast.walk(test))

    def _variables(self, node: ast.AST, scope: _Scope) -> Iterator[str]:
        """Yield the environment variables that a node may contain."""
        if isinstance(node, ast.Name | ast.Attribute):
            if isinstance(node, ast.Name) and scope.function is not None:
                for value in _locals(scope.function).get(node.id, []):
                    yield from _read_from_environment(value)
            if (held := self._holder(node, scope)) is not None:
                for kept in held[0].names.get(held[1], []):
                    if not isinstance(kept, _Function | ast.ClassDef):
                        yield from _read_from_environment(kept)
        elif isinstance(node, ast.expr):
            yield from _read_from_environment(node)

    # ------------------------------------------------------------------ what an expression stands for

    def _infer(self, node: ast.AST | None, scope: _Scope, *, as_property: bool = True) -> _Known | None:
        """Return the meaning of an expression, None where it is not certain."""
        if not isinstance(node, ast.expr):
            return None
        key = (id(node), scope.owner, id(scope.function), as_property)
        if key not in self._inferred:
            before = self._cuts
            known = self._understood(node, scope, as_property=as_property)
            if self._cuts != before and self._asked:  # what is being asked further up may be known later
                return known
            self._inferred[key] = known
        return self._inferred[key]

    def _understood(self, node: ast.expr, scope: _Scope, *, as_property: bool) -> _Known | None:
        if isinstance(node, ast.Await | ast.NamedExpr):
            return self._infer(node.value, scope)
        if isinstance(node, ast.Name):
            return self._of_name(node.id, scope)
        if isinstance(node, ast.Attribute):
            return self._of_attribute(node, scope, as_property=as_property)
        if isinstance(node, ast.Call):
            return self._of_call(node, scope)
        return None

    @staticmethod
    def _agreed(found: Sequence[_Known | None]) -> _Known | None:
        """What several expressions stand for together, None where they differ or one is not understood."""
        return found[0] if found and len({*found}) == 1 else None

    def _of_name(self, name: str, scope: _Scope) -> _Known | None:
        if scope.function is not None:
            arguments = scope.function.args
            if (
                scope.owner
                and [*arguments.posonlyargs, *arguments.args][:1]
                and name == _self(scope.function)
            ):
                return _Known("instance", scope.owner, scope.module.name)
            if (values := _locals(scope.function).get(name)) is not None:
                if not values:
                    return self._annotated(scope.function, name, scope)
                return self._once(
                    (scope.module.name, scope.owner + "." + scope.function.name, name),
                    lambda: self._agreed([self._infer(value, scope) for value in values]),
                )
        return self._of_global(scope.module, name)

    def _annotated(self, function: _Function, name: str, scope: _Scope) -> _Known | None:
        """The instance that a parameter's annotation promises."""
        arguments = function.args
        for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if each.arg == name and each.annotation is not None:
                return self._promised(each.annotation, _Scope(scope.module))
        return None

    def _promised(self, annotation: ast.expr, scope: _Scope) -> _Known | None:
        known = self._infer(annotation, scope)
        if known is None or known.kind != "class" or known.module not in self._modules:
            return None
        nodes = self._modules[known.module].names.get(known.name, [])
        bases = {_last(base) for node in nodes if isinstance(node, ast.ClassDef) for base in node.bases}
        # A protocol, or a class that others extend, says what something can do, not what it is.
        if bases & {"ABC", "Protocol"} or known.name in self._extended:
            return None
        return _Known("instance", known.name, known.module)

    @cached_property
    def _extended(self) -> frozenset[str]:
        """Names of classes that another class of the package derives from."""
        return frozenset(
            _last(base)
            for module in self._modules.values()
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ClassDef)
            for base in node.bases
        )

    def _of_global(self, module: _Module, name: str) -> _Known | None:  # noqa: PLR0911  # one a kind of expression
        if name in module.names:
            values = module.names[name]
            if len(values) == 1 and isinstance(values[0], _Function):
                return _Known("function", name, module.name)
            if len(values) == 1 and isinstance(values[0], ast.ClassDef):
                return _Known("class", name, module.name)
            return self._once(
                (module.name, "", name),
                lambda: self._agreed([self._infer(value, _Scope(module)) for value in values]),
            )
        if name not in module.imports:
            return None
        above, inner = module.imports[name]
        if not inner:
            return _Known("module", above)
        if above == "boto3" or above.startswith(("boto3.", "botocore.")):
            return self._of_sdk(above, inner)
        if f"{above}.{inner}" in self._modules:
            return _Known("module", f"{above}.{inner}")
        return self._of_global(self._modules[above], inner) if above in self._modules else None

    def _once(self, key: tuple[str, str, str], infer: Callable[[], _Known | None]) -> _Known | None:
        """Return the meaning of a name, None in a recursive request for the same name."""
        if key in self._asked:
            self._cuts += 1
            return None
        self._asked.add(key)
        try:
            return infer()
        finally:
            self._asked.discard(key)

    @staticmethod
    def _of_sdk(module: str, name: str) -> _Known | None:
        if name in ("client", "resource", "create_client"):
            return _Known("factory", name)
        if name in ("Session", "get_session"):
            return _Known("sessions")
        return _Known("module", f"{module}.{name}") if name == "session" else None

    def _of_attribute(  # noqa: PLR0911  # one a kind of expression
        self, node: ast.Attribute, scope: _Scope, *, as_property: bool
    ) -> _Known | None:
        base = self._infer(node.value, scope)
        if base is None:
            return None
        if base.kind == "module":
            if base.name in self._modules:
                return self._of_global(self._modules[base.name], node.attr)
            deeper = f"{base.name}.{node.attr}"
            if deeper in self._modules:
                return _Known("module", deeper)
            is_sdk = base.name.split(".")[0] in ("boto3", "botocore")
            return self._of_sdk(base.name, node.attr) if is_sdk else None
        if base.kind == "session" and node.attr in ("client", "resource", "create_client"):
            return _Known("factory", node.attr)
        if base.kind == "resource":
            return _Known("tables") if node.attr == "Table" else None
        if base.kind in ("instance", "class") and base.module in self._modules:
            return self._of_member(base, node.attr, as_property=as_property)
        return None

    def _of_member(self, base: _Known, name: str, *, as_property: bool) -> _Known | None:
        module = self._modules[base.module]
        for method in self._methods(module, base.name):
            if method.name == name:
                if as_property and any(_last(one) in _PROPERTIES for one in method.decorator_list):
                    return self._returned(_Scope(module, base.name, method))
                return _Known("method", name, module.name, base.name)
        return self._once(
            (module.name, base.name, name),
            lambda: self._agreed(list(self._kept(module, base.name, name))),
        )

    def _kept(self, module: _Module, owner: str, name: str) -> Iterator[_Known | None]:
        """What the instances of a class keep under a name."""
        for statement in self._body(module, owner):
            if isinstance(statement, ast.AnnAssign) and _is_name(statement.target, name):
                promised = self._promised(statement.annotation, _Scope(module))
                yield from [promised] if promised else self._given(module, owner, name)
        for method in self._methods(module, owner):
            for node in ast.walk(method):
                if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
                    continue
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(isinstance(one, ast.Attribute) and one.attr == name for one in targets):
                    known = self._infer(node.value, _Scope(module, owner, method))
                    if known is None and method.name == "__init__" and isinstance(node.value, ast.Name):
                        yield from self._given(module, owner, node.value.id)
                    else:
                        yield known

    def _given(self, module: _Module, owner: str, parameter: str) -> Iterator[_Known | None]:
        """What the package hands to the constructor of a class for one of its parameters."""
        wanted = _Known("class", owner, module.name)
        order = self._parameters(module, owner)
        for scope, call in self._calls_by_name.get(owner, ()):
            if self._infer(call.func, scope) == wanted:
                given = {one.arg: one.value for one in call.keywords if one.arg}
                given |= dict(zip(order, call.args, strict=False))
                if parameter in given:
                    yield self._infer(given[parameter], scope)

    def _parameters(self, module: _Module, owner: str) -> Sequence[str]:
        for method in self._methods(module, owner):
            if method.name == "__init__":
                return [one.arg for one in (*method.args.posonlyargs, *method.args.args)][1:]
        return [
            one.target.id
            for one in self._body(module, owner)
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        ]

    @cached_property
    def _calls_by_name(self) -> Mapping[str, Sequence[tuple[_Scope, ast.Call]]]:
        """Every call in the package's code, by the last name of what is called."""
        found: dict[str, list[tuple[_Scope, ast.Call]]] = {}
        for scope, node in self._scopes:
            for call in ast.walk(node):
                if isinstance(call, ast.Call):
                    found.setdefault(_last(call.func), []).append((scope, call))
        return found

    @property
    def _scopes(self) -> Sequence[tuple[_Scope, ast.AST]]:
        """Every function of the package with its scope, and what runs when its modules are imported."""
        found: list[tuple[_Scope, ast.AST]] = []
        for module in self._modules.values():
            for node in _flat(module.tree.body):
                if isinstance(node, _Function):
                    found.append((_Scope(module, "", node), node))
                elif isinstance(node, ast.ClassDef):
                    found += [
                        (_Scope(module, node.name, each), each)
                        for each in node.body
                        if isinstance(each, _Function)
                    ]
                else:
                    found.append((_Scope(module), node))
        return found

    def _body(self, module: _Module, owner: str) -> Sequence[ast.stmt]:
        """The statements of a class."""
        return [
            each
            for node in module.names.get(owner, [])
            if isinstance(node, ast.ClassDef)
            for each in node.body
        ]

    def _methods(self, module: _Module, owner: str) -> Sequence[_Function]:
        return [one for one in self._body(module, owner) if isinstance(one, _Function)]

    def _returned(self, scope: _Scope) -> _Known | None:
        """What a function returns."""
        if (function := scope.function) is None:
            return None
        values = [one.value for one in ast.walk(function) if isinstance(one, ast.Return) and one.value]
        return self._once(
            (scope.module.name, scope.owner + "." + function.name, "return"),
            lambda: self._agreed([self._infer(value, scope) for value in values]),
        )

    def _of_call(self, node: ast.Call, scope: _Scope) -> _Known | None:  # noqa: PLR0911  # one a kind of expression
        known = self._infer(node.func, scope)
        if known is None or known.kind == "instance":
            # A maker of clients that the application has written for itself; one of an unknown session says whose they are.
            service = _text(node.args[0]) if node.args else ""
            named = _last(node.func).lower().strip("_")
            is_maker = named == "clients" or (known is not None and "client" in named)
            return _Known("client", service) if is_maker and operations(service) else None
        if known.kind == "sessions":
            return _Known("session") if not node.args and not node.keywords else None
        if known.kind == "factory":
            service = _text(node.args[0]) if node.args else ""
            if not operations(service) or not _is_plain(node):
                return None
            if known.name != "resource":
                return _Known("client", service)
            return _Known("resource", service) if service == "dynamodb" else None
        if known.kind == "tables":
            return _Known("table")
        if known.kind == "class":
            return _Known("instance", known.name, known.module)
        if known.kind in ("function", "method"):
            module = self._modules[known.module]
            nodes = (
                [one for one in module.names[known.name] if isinstance(one, _Function)]
                if known.kind == "function"
                else [one for one in self._methods(module, known.owner) if one.name == known.name]
            )
            return self._returned(_Scope(module, known.owner, nodes[0])) if nodes else None
        return None

    # ------------------------------------------------------------------ calls

    def _call(self, node: ast.AST, scope: _Scope) -> Call | None:
        """Return the call of an expression such as `client.put_item`, which is passed on or called at once."""
        if isinstance(node, ast.Attribute):
            call: ast.Call | None = None
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            call, node = node, node.func
        else:
            return None
        base = self._infer(node.value, scope)
        if base is None or base.kind not in ("client", "table"):
            return None
        service = base.name or "dynamodb"
        method = node.attr
        if base.kind == "table" and method not in _TABLE:
            return None
        if method in _BY_NAME:
            if call is None:
                return None
            named = [
                *call.args[:1],
                *(one.value for one in call.keywords if one.arg in ("operation_name", "ClientMethod")),
            ]
            method = _text(named[0]) if named else ""
        elif base.kind == "table" and method in ("load", "reload"):
            method = "describe_table"
        method = _HELPERS.get(service, {}).get(method, method)
        operation = operations(service).get(method)
        if operation is None:
            return None
        arguments = frozenset(one.arg or "**" for one in call.keywords) if call else frozenset({"**"})
        words = frozenset(word for one in ast.walk(call or node) if (word := _text(one)))
        return Call(service, operation, f"{scope.module.file}:{node.lineno}", arguments, words)


def _flat(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module's start, those in `try` one by one."""
    for statement in statements:
        if isinstance(statement, ast.Try):
            yield from _flat([*statement.body, *statement.orelse, *statement.finalbody])
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
def _locals(function: _Function) -> Mapping[str, Sequence[ast.expr]]:
    """Return the values that a function assigns, by name. Parameters have none, unless the function assigns them again."""
    found: dict[str, list[ast.expr]] = {}
    shared: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            found.setdefault(node.arg, [])
        elif isinstance(node, ast.Global | ast.Nonlocal):
            shared |= {*node.names}
        elif isinstance(node, _Function) and node is not function:
            found.setdefault(node.name, []).append(ast.Constant(...))
        for name, value in _assigned(node):
            found.setdefault(name, []).append(value)
    return {name: values for name, values in found.items() if name not in shared}


def _self(function: _Function) -> str:
    """What a method calls its instance."""
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    is_static = any(_last(one) in ("staticmethod", "classmethod") for one in function.decorator_list)
    return names[0] if names and not is_static else ""


def _certain(node: ast.AST, *, without_lambdas: bool) -> Iterator[ast.AST]:
    """A node and all below it, but for what runs on trial: a body that expects to be denied."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield each
        if isinstance(each, ast.Lambda) and without_lambdas:
            continue
        below = list(ast.iter_child_nodes(each))
        if isinstance(each, ast.Try) and _expects_denial(each):
            below = [*each.handlers, *each.orelse, *each.finalbody]
        waiting += below


def _only_logs(statements: Sequence[ast.stmt]) -> bool:
    """Whether statements do nothing but log texts, numbers and names."""
    return all(
        isinstance(one, ast.Expr)
        and isinstance(one.value, ast.Call)
        and isinstance(one.value.func, ast.Attribute)
        and one.value.func.attr in _LEVELS
        and not any(isinstance(each, ast.Call) for part in one.value.args for each in ast.walk(part))
        for one in statements
    )


def _expects_denial(node: ast.Try) -> bool:
    words = [_text(one) for each in node.handlers for one in ast.walk(each)]
    return any(
        word.startswith(("AccessDenied", "Forbidden", "403", "UnauthorizedOperation")) for word in words
    )


def _is_plain(call: ast.Call) -> bool:
    """Whether a client is made with the function's own rights, for AWS's own endpoint."""
    names = [one.arg for one in call.keywords]
    unsigned = any(
        isinstance(one, ast.Name | ast.Attribute) and _last(one) == "UNSIGNED" for one in ast.walk(call)
    )
    return not unsigned and all(
        name and name not in _OTHERWISE and not name.startswith("aws_") for name in names
    )


def _routes(decorator: ast.expr, router: str) -> bool:
    return (
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in _ROUTERS
        and _is_name(decorator.func.value, router)
    )


def _read_from_environment(node: ast.AST) -> Iterator[str]:
    """The variables that an expression reads."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and one.args:
            place, key = one.func, one.args[0]
        elif isinstance(one, ast.Subscript):
            place, key = one.value, one.slice
        elif isinstance(one, ast.Compare) and isinstance(one.ops[0], ast.In | ast.NotIn):
            place, key = one.comparators[0], one.left
        else:
            continue
        names = {each.attr for each in ast.walk(place) if isinstance(each, ast.Attribute)}
        names |= {each.id for each in ast.walk(place) if isinstance(each, ast.Name)}
        if names & {"environ", "getenv"} and (name := _text(key)):
            yield name


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _last(node: ast.AST) -> str:
    """The last name of an expression: `client` of `self.client(...)`."""
    if isinstance(node, ast.Call):
        return _last(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
