"""The IAM actions that a function's code can call, read from its source.

A method of an AWS client counts as called when code that the handler can reach contains its name. Names alone are
compared, so that no call is missed: an action that is reported as not called is called nowhere.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from readiness.errors import Unverified
from readiness.probes.iam_actions import meant_by

OF_EVERY_FUNCTION = frozenset(
    {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}
)
"""What Lambda itself calls in a function's name. Source: the AWS managed policies AWSLambdaBasicExecutionRole and
AWSXRayDaemonWriteAccess."""

OF_A_QUEUES_READER = frozenset({"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"})
"""What Lambda calls for a function that a queue feeds. Source: the managed policy AWSLambdaSQSQueueExecutionRole."""

# Actions that allow operations of other names. Source: Service Authorization Reference.
_OTHER_NAMES = {
    "bedrock:invokemodel": {"converse"},
    "dynamodb:deleteitem": {"batchwriteitem", "transactwriteitems"},
    "dynamodb:getitem": {"transactgetitems"},
    "dynamodb:putitem": {"batchwriteitem", "transactwriteitems"},
    "dynamodb:updateitem": {"transactwriteitems"},
    "s3:getobject": {"downloadfile", "downloadfileobj", "headobject"},
    "s3:listbucket": {"headbucket", "listobjects", "listobjectsv2"},
    "s3:putobject": {"createmultipartupload", "uploadfile", "uploadfileobj"},
    "sqs:deletemessage": {"deletemessagebatch"},
    "sqs:sendmessage": {"sendmessagebatch"},
}


@dataclass(frozen=True)
class Code:
    """A package of functions in a folder."""

    folder: Path

    def uncalled(self, granted: Iterable[str], handler: str, served: Collection[str] = ()) -> Sequence[str]:
        """Return granted actions that neither the code nor Lambda (`served`) calls.

        Args:
            granted: the actions of a policy, with wildcards or without.
            handler: `package.module.function`, as in the function's configuration.
            served: actions that Lambda calls on the function's behalf.

        Raises:
            Unverified: the handler's source cannot be read.
        """
        named = {name.replace("_", "").lower() for name in self._reached(handler)}
        known = {action.lower() for action in served}
        return [action for action in dict.fromkeys(granted) if not _is_called(action.lower(), named, known)]

    def _reached(self, handler: str) -> set[str]:
        """Every name in code that the handler can reach."""
        module, _, function = handler.rpartition(".")
        trees = self._imported(module)
        if module not in trees or not any(name == function for name, _ in _functions(trees[module])):
            raise Unverified(
                f"expected the handler {handler} in {self.folder.name}, found none; check Handler and CodeUri"
            )
        bodies: dict[str, list[ast.AST]] = {}
        reached: set[str] = set()
        waiting = {function}
        for tree in trees.values():
            waiting |= _names(_outside_functions(tree))
            for name, body in _functions(tree):
                bodies.setdefault(name, []).append(body)
                if name.startswith("__"):  # called by Python itself
                    waiting.add(name)
        while waiting:
            reached |= waiting
            found = {
                name for one in waiting for body in bodies.pop(one, ()) for name in _names(ast.walk(body))
            }
            waiting = found - reached
        return reached

    def _imported(self, module: str) -> dict[str, ast.Module]:
        """The module and all of the folder's that it imports, by name; who imports by a computed name, imports its neighbours."""
        trees: dict[str, ast.Module] = {}
        waiting = [module]
        while waiting:
            name = waiting.pop()
            base = self.folder.joinpath(*name.split("."))
            file = next((f for f in (base.with_suffix(".py"), base / "__init__.py") if f.is_file()), None)
            if name in trees or file is None:
                continue
            try:
                trees[name] = ast.parse(file.read_text(encoding="utf-8"))
            except (OSError, ValueError, SyntaxError) as problem:
                raise Unverified(f"{file.name} cannot be read as Python: {problem}") from problem
            waiting += _imports(trees[name])
            if "import_module" in _names(ast.walk(trees[name])):
                package = name if file.name == "__init__.py" else name.rpartition(".")[0]
                waiting += [f"{package}.{near.stem}" for near in sorted(file.parent.glob("*.py"))]
        return trees


def _is_called(action: str, named: Collection[str], served: Collection[str]) -> bool:
    if set(action) & set("*?"):
        return any(_is_called(one, named, served) for one in meant_by(action))
    name = action.partition(":")[2]
    return action in served or bool({name, *_OTHER_NAMES.get(action, ())} & set(named))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _functions(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    """What runs when the module is imported."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                yield from ast.walk(decorator)
        else:
            yield node
            yield from _outside_functions(node)


def _names(nodes: Iterable[ast.AST]) -> set[str]:
    """What is named in these nodes, also as a text, which `getattr` may take."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found
