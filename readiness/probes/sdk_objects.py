"""The meaning of expressions in a function's package: boto3's sessions, clients and tables, and what the package defines."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from readiness.probes.python_modules import (
    Function,
    Module,
    Modules,
    Scope,
    is_name,
    last_name,
    literal_text,
    local_values,
    name_of_self,
)
from readiness.probes.service_models import operations

_OTHERWISE: Final = frozenset({"endpoint_url", "profile_name"})
"""Options of a client that may change the server or the identity of its calls, besides those that begin with `aws_`."""
_PROPERTIES: Final = frozenset({"property", "cached_property"})


@dataclass(frozen=True)
class Known:
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


@dataclass
class SdkObjects:
    """Infers which expressions of a package are boto3's clients and tables, and which are the package's own functions."""

    modules: Modules
    _asked: set[tuple[str, str, str]] = field(default_factory=set, repr=False)
    _cuts: int = field(default=0, repr=False)
    _inferred: dict[tuple[int, str, int, bool], Known | None] = field(default_factory=dict, repr=False)

    def infer(self, node: ast.AST | None, scope: Scope, *, as_property: bool = True) -> Known | None:
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

    def _understood(self, node: ast.expr, scope: Scope, *, as_property: bool) -> Known | None:
        if isinstance(node, ast.Await | ast.NamedExpr):
            return self.infer(node.value, scope)
        if isinstance(node, ast.Name):
            return self._of_name(node.id, scope)
        if isinstance(node, ast.Attribute):
            return self._of_attribute(node, scope, as_property=as_property)
        if isinstance(node, ast.Call):
            return self._of_call(node, scope)
        return None

    @staticmethod
    def _agreed(found: Sequence[Known | None]) -> Known | None:
        """What several expressions stand for together, None where they differ or one is not understood."""
        return found[0] if found and len({*found}) == 1 else None

    def _of_name(self, name: str, scope: Scope) -> Known | None:
        if scope.function is not None:
            arguments = scope.function.args
            if (
                scope.owner
                and [*arguments.posonlyargs, *arguments.args][:1]
                and name == name_of_self(scope.function)
            ):
                return Known("instance", scope.owner, scope.module.name)
            if (values := local_values(scope.function).get(name)) is not None:
                if not values:
                    return self._annotated(scope.function, name, scope)
                return self._once(
                    (scope.module.name, scope.owner + "." + scope.function.name, name),
                    lambda: self._agreed([self.infer(value, scope) for value in values]),
                )
        return self._of_global(scope.module, name)

    def _annotated(self, function: Function, name: str, scope: Scope) -> Known | None:
        """The instance that a parameter's annotation promises."""
        arguments = function.args
        for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if each.arg == name and each.annotation is not None:
                return self._promised(each.annotation, Scope(scope.module))
        return None

    def _promised(self, annotation: ast.expr, scope: Scope) -> Known | None:
        known = self.infer(annotation, scope)
        if known is None or known.kind != "class" or known.module not in self.modules.by_name:
            return None
        nodes = self.modules.by_name[known.module].names.get(known.name, [])
        bases = {last_name(base) for node in nodes if isinstance(node, ast.ClassDef) for base in node.bases}
        # A protocol, or a class that others extend, says what something can do, not what it is.
        if bases & {"ABC", "Protocol"} or known.name in self.modules.extended:
            return None
        return Known("instance", known.name, known.module)

    def _of_global(self, module: Module, name: str) -> Known | None:  # noqa: PLR0911  # one a kind of expression
        if name in module.names:
            values = module.names[name]
            if len(values) == 1 and isinstance(values[0], Function):
                return Known("function", name, module.name)
            if len(values) == 1 and isinstance(values[0], ast.ClassDef):
                return Known("class", name, module.name)
            return self._once(
                (module.name, "", name),
                lambda: self._agreed([self.infer(value, Scope(module)) for value in values]),
            )
        if name not in module.imports:
            return None
        above, inner = module.imports[name]
        if not inner:
            return Known("module", above)
        if above == "boto3" or above.startswith(("boto3.", "botocore.")):
            return self._of_sdk(above, inner)
        if f"{above}.{inner}" in self.modules.by_name:
            return Known("module", f"{above}.{inner}")
        return self._of_global(self.modules.by_name[above], inner) if above in self.modules.by_name else None

    def _once(self, key: tuple[str, str, str], infer: Callable[[], Known | None]) -> Known | None:
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
    def _of_sdk(module: str, name: str) -> Known | None:
        if name in ("client", "resource", "create_client"):
            return Known("factory", name)
        if name in ("Session", "get_session"):
            return Known("sessions")
        return Known("module", f"{module}.{name}") if name == "session" else None

    def _of_attribute(  # noqa: PLR0911  # one a kind of expression
        self, node: ast.Attribute, scope: Scope, *, as_property: bool
    ) -> Known | None:
        base = self.infer(node.value, scope)
        if base is None:
            return None
        if base.kind == "module":
            if base.name in self.modules.by_name:
                return self._of_global(self.modules.by_name[base.name], node.attr)
            deeper = f"{base.name}.{node.attr}"
            if deeper in self.modules.by_name:
                return Known("module", deeper)
            is_sdk = base.name.split(".")[0] in ("boto3", "botocore")
            return self._of_sdk(base.name, node.attr) if is_sdk else None
        if base.kind == "session" and node.attr in ("client", "resource", "create_client"):
            return Known("factory", node.attr)
        if base.kind == "resource":
            return Known("tables") if node.attr == "Table" else None
        if base.kind in ("instance", "class") and base.module in self.modules.by_name:
            return self._of_member(base, node.attr, as_property=as_property)
        return None

    def _of_member(self, base: Known, name: str, *, as_property: bool) -> Known | None:
        module = self.modules.by_name[base.module]
        for method in self.modules.methods(module, base.name):
            if method.name == name:
                if as_property and any(last_name(one) in _PROPERTIES for one in method.decorator_list):
                    return self._returned(Scope(module, base.name, method))
                return Known("method", name, module.name, base.name)
        return self._once(
            (module.name, base.name, name),
            lambda: self._agreed(list(self._kept(module, base.name, name))),
        )

    def _kept(self, module: Module, owner: str, name: str) -> Iterator[Known | None]:
        """What the instances of a class keep under a name."""
        for statement in self.modules.body(module, owner):
            if isinstance(statement, ast.AnnAssign) and is_name(statement.target, name):
                promised = self._promised(statement.annotation, Scope(module))
                yield from [promised] if promised else self._given(module, owner, name)
        for method in self.modules.methods(module, owner):
            for node in ast.walk(method):
                if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
                    continue
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(isinstance(one, ast.Attribute) and one.attr == name for one in targets):
                    known = self.infer(node.value, Scope(module, owner, method))
                    if known is None and method.name == "__init__" and isinstance(node.value, ast.Name):
                        yield from self._given(module, owner, node.value.id)
                    else:
                        yield known

    def _given(self, module: Module, owner: str, parameter: str) -> Iterator[Known | None]:
        """What the package hands to the constructor of a class for one of its parameters."""
        wanted = Known("class", owner, module.name)
        order = self._parameters(module, owner)
        for scope, call in self._calls_by_name.get(owner, ()):
            if self.infer(call.func, scope) == wanted:
                given = {one.arg: one.value for one in call.keywords if one.arg}
                given |= dict(zip(order, call.args, strict=False))
                if parameter in given:
                    yield self.infer(given[parameter], scope)

    def _parameters(self, module: Module, owner: str) -> Sequence[str]:
        for method in self.modules.methods(module, owner):
            if method.name == "__init__":
                return [one.arg for one in (*method.args.posonlyargs, *method.args.args)][1:]
        return [
            one.target.id
            for one in self.modules.body(module, owner)
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        ]

    @cached_property
    def _calls_by_name(self) -> Mapping[str, Sequence[tuple[Scope, ast.Call]]]:
        """Every call in the package's code, by the last name of what is called."""
        found: dict[str, list[tuple[Scope, ast.Call]]] = {}
        for scope, node in self.modules.scopes:
            for call in ast.walk(node):
                if isinstance(call, ast.Call):
                    found.setdefault(last_name(call.func), []).append((scope, call))
        return found

    def _returned(self, scope: Scope) -> Known | None:
        """What a function returns."""
        if (function := scope.function) is None:
            return None
        values = [one.value for one in ast.walk(function) if isinstance(one, ast.Return) and one.value]
        return self._once(
            (scope.module.name, scope.owner + "." + function.name, "return"),
            lambda: self._agreed([self.infer(value, scope) for value in values]),
        )

    def _of_call(self, node: ast.Call, scope: Scope) -> Known | None:  # noqa: PLR0911  # one a kind of expression
        known = self.infer(node.func, scope)
        if known is None or known.kind == "instance":
            # A maker of clients that the application has written for itself; one of an unknown session says whose they are.
            service = literal_text(node.args[0]) if node.args else ""
            named = last_name(node.func).lower().strip("_")
            is_maker = named == "clients" or (known is not None and "client" in named)
            return Known("client", service) if is_maker and operations(service) else None
        if known.kind == "sessions":
            return Known("session") if not node.args and not node.keywords else None
        if known.kind == "factory":
            service = literal_text(node.args[0]) if node.args else ""
            if not operations(service) or not _is_plain(node):
                return None
            if known.name != "resource":
                return Known("client", service)
            return Known("resource", service) if service == "dynamodb" else None
        if known.kind == "tables":
            return Known("table")
        if known.kind == "class":
            return Known("instance", known.name, known.module)
        if known.kind in ("function", "method"):
            module = self.modules.by_name[known.module]
            nodes = (
                [one for one in module.names[known.name] if isinstance(one, Function)]
                if known.kind == "function"
                else [one for one in self.modules.methods(module, known.owner) if one.name == known.name]
            )
            return self._returned(Scope(module, known.owner, nodes[0])) if nodes else None
        return None


def _is_plain(call: ast.Call) -> bool:
    """Whether a client is made with the function's own rights, for AWS's own endpoint."""
    names = [one.arg for one in call.keywords]
    unsigned = any(
        isinstance(one, ast.Name | ast.Attribute) and last_name(one) == "UNSIGNED" for one in ast.walk(call)
    )
    return not unsigned and all(
        name and name not in _OTHERWISE and not name.startswith("aws_") for name in names
    )
