"""The calls to AWS that a function's code certainly makes, read from its source.

The opposite of `called_actions`: unclear code is left out here, so that every reported call is made. A call counts where
its client has a literal service name and the handler reaches it over names that can be resolved. Third-party packages,
clients with credentials or an endpoint of their own, and functions that read an unset variable are left out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from readiness.errors import Unverified
from readiness.probes.python_modules import (
    Function,
    Module,
    Modules,
    Scope,
    flat,
    is_name,
    literal_text,
    local_values,
)
from readiness.probes.sdk_objects import Known, SdkObjects
from readiness.probes.service_models import operations

_NOT_NAMED: Final = frozenset(
    {"__init__", "__post_init__", "__enter__", "__exit__", "__aenter__", "__aexit__"}
)
"""What Python calls of a class without naming it."""
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

    @property
    def calls(self) -> Sequence[Call]:
        """Every call that is made for certain, in the order of files and lines.

        Raises:
            Unverified: the handler's source cannot be read.
        """
        module, _, name = self.handler.replace("/", ".").rpartition(".")
        if module not in self._modules.by_name or name not in self._modules.by_name[module].names:
            raise Unverified(
                f"expected the handler {self.handler} in Python in the package, found none; check Handler and CodeUri"
            )
        found = {call for scope, node in self._reached(module, name) if (call := self._call(node, scope))}
        return sorted(
            found, key=lambda one: (one.place.rpartition(":")[0], int(one.place.rpartition(":")[2]))
        )

    @cached_property
    def _modules(self) -> Modules:
        return Modules(self.files, self.handler.replace("/", ".").rpartition(".")[0])

    @cached_property
    def _objects(self) -> SdkObjects:
        return SdkObjects(self._modules)

    def _reached(self, module: str, handler: str) -> Iterator[tuple[Scope, ast.AST]]:
        """Every node of code that runs when the handler's module is imported or the handler is called."""
        seen: set[int] = set()
        waiting: list[tuple[Scope, ast.AST, bool]] = [
            (Scope(one), each, True) for one in self._modules.started for each in flat(one.tree.body)
        ]
        waiting += self._meant(Known("function", handler, module))
        while waiting:
            scope, node, at_import = waiting.pop()
            if id(node) in seen or (at_import and isinstance(node, Function | ast.ClassDef)):
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
                known = self._objects.infer(each.func, scope) if isinstance(each, ast.Call) else None
                if known is not None and known.kind == "instance":
                    waiting += self._meant(Known("method", "__call__", known.module, known.name))

    def _named(self, node: ast.Name | ast.Attribute, scope: Scope) -> Iterator[tuple[Scope, ast.AST, bool]]:
        """The code that a name brings into use."""
        if (known := self._objects.infer(node, scope, as_property=False)) is not None:
            yield from self._meant(known)
        if (held := self._holder(node, scope)) is None:
            return
        module, name = held
        for value in module.names.get(name, []):
            if not isinstance(value, Function | ast.ClassDef):
                yield Scope(module), value, False
        for each in flat(module.tree.body):
            if isinstance(each, Function) and any(_routes(one, name) for one in each.decorator_list):
                yield Scope(module, "", each), each, False

    def _holder(self, node: ast.AST, scope: Scope) -> tuple[Module, str] | None:
        """The module and the name in it that an expression refers to."""
        if isinstance(node, ast.Name):
            if scope.function is not None and node.id in local_values(scope.function):
                return None
            if node.id in scope.module.names:
                return scope.module, node.id
            above, name = scope.module.imports.get(node.id, ("", ""))
            return (self._modules.by_name[above], name) if name and above in self._modules.by_name else None
        if isinstance(node, ast.Attribute):
            base = self._objects.infer(node.value, scope)
            if base is not None and base.kind == "module" and base.name in self._modules.by_name:
                return self._modules.by_name[base.name], node.attr
        return None

    def _meant(self, known: Known) -> list[tuple[Scope, ast.AST, bool]]:
        """The code that runs where something is used."""
        module = self._modules.by_name.get(known.module)
        if module is None:
            return []
        if known.kind == "function":
            return [
                (Scope(module, "", node), node, False)
                for node in module.names.get(known.name, [])
                if isinstance(node, Function)
            ] or [(Scope(module), node, False) for node in module.names.get(known.name, [])]
        if known.kind in ("class", "method"):
            owner = known.name if known.kind == "class" else known.owner
            wanted = _NOT_NAMED if known.kind == "class" else {known.name}
            return [
                (Scope(module, owner, node), node, False)
                for node in self._modules.methods(module, owner)
                if node.name in wanted
            ]
        return []

    def _asks_for_unset(self, node: ast.AST, scope: Scope) -> bool:
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

    def _variables(self, node: ast.AST, scope: Scope) -> Iterator[str]:
        """Yield the environment variables that a node may contain."""
        if isinstance(node, ast.Name | ast.Attribute):
            if isinstance(node, ast.Name) and scope.function is not None:
                for value in local_values(scope.function).get(node.id, []):
                    yield from _read_from_environment(value)
            if (held := self._holder(node, scope)) is not None:
                for kept in held[0].names.get(held[1], []):
                    if not isinstance(kept, Function | ast.ClassDef):
                        yield from _read_from_environment(kept)
        elif isinstance(node, ast.expr):
            yield from _read_from_environment(node)

    def _call(self, node: ast.AST, scope: Scope) -> Call | None:
        """Return the call of an expression such as `client.put_item`, which is passed on or called at once."""
        if isinstance(node, ast.Attribute):
            call: ast.Call | None = None
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            call, node = node, node.func
        else:
            return None
        base = self._objects.infer(node.value, scope)
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
            method = literal_text(named[0]) if named else ""
        elif base.kind == "table" and method in ("load", "reload"):
            method = "describe_table"
        method = _HELPERS.get(service, {}).get(method, method)
        operation = operations(service).get(method)
        if operation is None:
            return None
        arguments = frozenset(one.arg or "**" for one in call.keywords) if call else frozenset({"**"})
        words = frozenset(word for one in ast.walk(call or node) if (word := literal_text(one)))
        return Call(service, operation, f"{scope.module.file}:{node.lineno}", arguments, words)


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
    words = [literal_text(one) for each in node.handlers for one in ast.walk(each)]
    return any(
        word.startswith(("AccessDenied", "Forbidden", "403", "UnauthorizedOperation")) for word in words
    )


def _routes(decorator: ast.expr, router: str) -> bool:
    return (
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in _ROUTERS
        and is_name(decorator.func.value, router)
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
        if names & {"environ", "getenv"} and (name := literal_text(key)):
            yield name
