"""What a Python function imports at its start, and whether it will be there."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from readiness.probes.finding import Finding
from readiness.probes.process import read
from readiness.probes.sources import Function, NotJudgedError

# Source: AWS Lambda Developer Guide, "Runtime-included SDK versions": boto3, botocore and what these need.
_RUNTIME: Final = {
    *("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"),
    *("awslambdaric", "bootstrap", "snapshot_restore_py", "runtime_client"),
}
# In Python's library of some runtime, though perhaps not in that of this interpreter.
_LIBRARY: Final = {
    *(
        "annotationlib",
        "compression",
        "distutils",
        "imp",
        "asynchat",
        "asyncore",
        "smtpd",
        "cgi",
        "cgitb",
        "crypt",
    ),
    *(
        "imghdr",
        "sndhdr",
        "telnetlib",
        "pipes",
        "uu",
        "xdrlib",
        "audioop",
        "nntplib",
        "pkg_resources",
        "setuptools",
    ),
}
# Packages that other packages hardly ever bring along, by module: these are judged beside requirements too.
_PACKAGES: Final = {
    "MySQLdb": "mysqlclient",
    "aws_lambda_powertools": "aws-lambda-powertools",
    "aws_xray_sdk": "aws-xray-sdk",
    "docx": "docx",
    "fitz": "pymupdf",
    "github": "pygithub",
    "ldap3": "ldap3",
    "mangum": "mangum",
    "psycopg": "psycopg",
    "psycopg2": "psycopg2",
    "pymysql": "pymysql",
    "sentry_sdk": "sentry-sdk",
    "stripe": "stripe",
}
_PUBLIC_LAYERS: Final = {
    "AWSLambdaPowertoolsPython|/powertools/python/": (
        "aws_lambda_powertools",
        "aws_xray_sdk",
        "jmespath",
        "pydantic",
    ),
    "AWSSDKPandas": ("awswrangler", "numpy", "pandas", "pyarrow"),
}
"""Modules of AWS's own layers, by a pattern of their ARNs or of the parameters that AWS keeps these in. Source: Powertools for AWS
Lambda (Python), "Lambda Layer"; AWS SDK for pandas, "AWS Lambda Layer"."""
_GUARDED: Final = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def missing(function: Function, folder: Path) -> list[Finding]:
    """Return the imports of a function's start that no file and no package provides.

    Packages in `requirements.txt` install other packages too. Then only modules are judged that other packages rarely
    install.

    Args:
        function: a function in Python.
        folder: the application's folder, to which paths in findings are relative.

    Raises:
        NotJudgedError: the result is not certain.
    """
    if "BuildMethod" in function.metadata:
        raise NotJudgedError("it has a build method of its own")
    handler = function.properties.get("Handler")
    if not isinstance(handler, str):
        raise NotJudgedError("its handler is not written as a text")
    source = function.source
    if function.holds("*.dist-info"):
        raise NotJudgedError("its folder holds packages")
    module = handler.replace("/", ".").rpartition(".")[0]
    if function.layers and not next(source.glob(f"{module.replace('.', '/')}*"), None):
        raise NotJudgedError("its handler may be in a layer")
    layers = [folder for layer in function.layers for folder in layer]
    arns = str(function.properties.get("Layers"))
    public = {name for layer, brought in _PUBLIC_LAYERS.items() if re.search(layer, arns) for name in brought}
    needed = _together([_requirements(folder / "requirements.txt") for folder in (source, *layers)])
    found, names = [], set[str]()
    for file, line, name in sorted(_imported(source, module)):
        if name not in public and not _brought(name, needed, [*function.folders, *layers]):
            found.append(
                Finding(
                    Path(os.path.relpath(file, folder)).as_posix(),
                    line,
                    "undeclared",
                    f"expected {name} in {function.code} or its requirements.txt, found it in neither; declare its package",
                )
            )
            names.add(name)
    if found and not all(function.layers):
        raise NotJudgedError(f"a layer whose files are not here may bring {', '.join(sorted(names))}")
    return found


def _together(lists: Sequence[list[str] | None]) -> list[str] | None:
    """The names of all lists; None where one is not known."""
    known = [names for names in lists if names is not None]
    return [name for names in known for name in names] if len(known) == len(lists) else None


def _requirements(file: Path) -> list[str] | None:
    """Names of packages; None where the file takes in what is not read here."""
    names = []
    for line in read(file).splitlines():
        said = line.split("#")[0].strip()
        if said.startswith(("-r", "-c", "-e", ".", "/", "--requirement", "--editable", "git+", "http")):
            return None
        if said and not said.startswith("-"):
            names.append(_plain(re.split(r"[\s\[<>=!~;@]", said)[0]))
    return names


def _brought(module: str, needed: Sequence[str] | None, folders: Sequence[Path]) -> bool:
    if module in _RUNTIME or module in _LIBRARY or module in sys.stdlib_module_names:
        return True
    if any(next(folder.glob(f"{module}*"), None) for folder in folders) or needed is None:
        return True
    package = _plain(_PACKAGES.get(module, ""))
    if needed and not package:
        return True
    return any(package in name or name in package for name in needed)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported(source: Path, module: str) -> set[tuple[Path, int, str]]:
    """File, line and first name of each import that a module's start does, in it and in what it imports of the folder."""
    found: set[tuple[Path, int, str]] = set()
    seen: set[Path] = set()
    ahead = [module]
    while ahead:
        parts = ahead.pop().split(".")
        for length in range(1, len(parts) + 1):
            path = source.joinpath(*parts[:length])
            for file in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
                if not file.is_file() or file in seen:
                    continue
                seen.add(file)
                package = parts[: length if file.name == "__init__.py" else length - 1]
                for line, name in _names(file, package):
                    ahead.append(name)
                    first = name.split(".")[0]
                    if not (source / first).exists() and not (source / f"{first}.py").exists():
                        found.add((file, line, first))
    return found


def _names(file: Path, package: Sequence[str]) -> Iterator[tuple[int, str]]:
    try:
        tree = ast.parse(read(file))
    except (SyntaxError, ValueError) as problem:
        raise NotJudgedError(f"{file.name} cannot be read by this Python") from problem
    if "sys.path" in read(file):
        raise NotJudgedError(f"{file.name} changes where modules are looked for")
    for statement in _at_start(tree.body):
        if isinstance(statement, ast.Import):
            yield from ((statement.lineno, alias.name) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            above = list(package[: len(package) - statement.level + 1]) if statement.level else []
            base = ".".join([*above, *([statement.module] if statement.module else [])])
            if base:
                yield statement.lineno, base
                yield from ((statement.lineno, f"{base}.{alias.name}") for alias in statement.names)


def _at_start(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run whenever the module is imported, but for those whose failure is caught."""
    for statement in statements:
        if isinstance(statement, ast.With | ast.ClassDef):
            if isinstance(statement, ast.ClassDef):
                yield from _at_start(statement.body)
        elif isinstance(statement, ast.Try):
            caught = {
                node.id
                for handler in statement.handlers
                for node in ast.walk(handler.type or ast.Name("Exception"))
                if isinstance(node, ast.Name)
            }
            if not caught & _GUARDED:
                yield from _at_start(statement.body)
        else:
            yield statement
