"""The files that the stack is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from readiness import samconfig
from readiness.application import Application
from readiness.aws.cloudformation import written_out
from readiness.errors import NotApplicable, Unverified, UsageProblem
from readiness.probes import gates, imports, linting, named, parameters, routes, secrets, shell, sources
from readiness.probes import tree as trees
from readiness.probes.finding import Finding
from readiness.probes.process import read
from readiness.probes.shell import Script
from readiness.probes.sources import Function, NotJudgedError


@pytest.fixture(scope="session")
def template(application: Application) -> Mapping[str, Any]:
    """The template's content, with its short forms written out."""
    return written_out(read(application.template))


@pytest.fixture(scope="session")
def tree(application: Application) -> list[Path]:
    """The application's files."""
    return trees.files(application.folder, [application.template, application.samconfig])


@pytest.fixture(scope="session")
def functions(application: Application, template: Mapping[str, Any]) -> list[Function]:
    """The functions that the template declares.

    Raises:
        NotApplicable: there is none.
    """
    if not (found := sources.functions(template, application.template.parent)):
        raise NotApplicable("the template has no function")
    return found


@pytest.mark.code
@pytest.mark.item("SRC-01")
def test_cfn_lint_finds_no_error_in_the_template(application: Application) -> None:
    """CloudFormation would refuse the template in the middle of a deployment."""
    template = str(application.template.relative_to(application.folder))

    assert linting.cfn_lint(application.folder, template) == []


@pytest.mark.code
@pytest.mark.item("SRC-02")
def test_handlers_exist(functions: list[Function], evidence: dict[str, object]) -> None:
    """The function would fail at every start."""
    if not (ours := [function for function in functions if function.language]):
        raise NotApplicable("no function is in Python or Node.js")
    wrong, unjudged = {}, {}
    for function in ours:
        try:
            wrong[function.logical_id] = sources.handler_problem(function)
        except NotJudgedError as problem:
            unjudged[function.logical_id] = str(problem)
    others = {
        function.logical_id: "another language, or an image" for function in functions if function not in ours
    }
    evidence["judged"] = len(wrong)
    evidence |= {f"not judged: {name}": why for name, why in {**unjudged, **others}.items()}

    assert {name: problem for name, problem in wrong.items() if problem} == {}
    if unjudged:
        raise Unverified(
            f"expected to judge the handler of every function, found {len(unjudged)} of {len(ours)} that cannot be judged: {unjudged}; "
            "build the functions and run again, or check them by hand"
        )


@pytest.mark.code
@pytest.mark.item("SRC-03")
def test_parameters_and_their_values_fit(
    application: Application, template: Mapping[str, Any], tree: list[Path], evidence: dict[str, object]
) -> None:
    """CloudFormation would refuse the deployment, at the worst in production alone."""
    declared = template.get("Parameters") or {}
    try:
        given = parameters.environments(application.samconfig)
    except UsageProblem as problem:
        raise Unverified(str(problem)) from problem
    if not declared and not any(values for _, values in given.values()):
        raise NotApplicable("the template has no parameter, and samconfig.toml gives no value")
    wrong = {f"Parameters {name}": problem for name, problem in parameters.wrong_defaults(declared)}
    passed_by = [
        file.name for file in tree if parameters.passes_values(file) and file != application.samconfig
    ]
    evidence |= {"environments": ", ".join(given)}
    evidence |= {"values are passed by": ", ".join(passed_by)} if passed_by else {}
    for environment, (has_stack, values) in given.items():
        wrong |= {f"{environment} {name}": problem for name, problem in parameters.misfits(declared, values)}
        if has_stack and values and not passed_by:
            wrong |= {
                f"{environment} {name}": "expected a value, for it has no default, found none; add it to parameter_overrides"
                for name in parameters.unset(declared, values)
            }

    assert wrong == {}


@pytest.mark.code
@pytest.mark.item("SRC-04")
def test_tests_and_deployments_can_fail(
    application: Application, tree: list[Path], evidence: dict[str, object]
) -> None:
    """A release would continue, and succeed, although its tests failed."""
    folder = application.folder
    started = [script for script in shell.scripts(folder, tree) + shell.steps(folder) if gates.tested(script)]
    count, unread = gates.unread(folder, tree)
    if not started and not count:
        raise NotApplicable("no script or workflow tests or deploys anything")
    evidence["scripts and steps"] = len(started)
    evidence["starts in Python"] = count
    steps = "\n".join(script.text for script in started)

    def is_strictly_run(script: Script) -> bool:
        name = re.escape(Path(script.place).name)
        return bool(re.search(rf"sh\s+-\w*e\w*\s+(?:-\S+\s+)*\S*{name}", steps))

    lost = [finding for script in started for finding in gates.lost(script, is_strictly_run(script))]
    assert lost + unread == []


@pytest.mark.code
@pytest.mark.item("SRC-05")
def test_imports_are_declared(
    application: Application, functions: list[Function], evidence: dict[str, object]
) -> None:
    """The function would fail at every start, although it works where the package happens to be installed."""
    ours = [function for function in functions if function.language == "python"]
    if not ours:
        raise NotApplicable("no function is in Python")
    undeclared, unjudged = set[Finding](), {}
    for function in ours:
        try:
            undeclared |= {*imports.missing(function, application.folder)}
        except NotJudgedError as problem:
            unjudged[function.logical_id] = str(problem)
    evidence["judged"] = len(ours) - len(unjudged)
    evidence |= {f"not judged: {name}": why for name, why in unjudged.items()}

    assert sorted(undeclared, key=str) == []
    if unjudged:
        raise Unverified(
            f"expected to judge the imports of every function, found {len(unjudged)} of {len(ours)} that cannot be judged: {unjudged}; "
            "check them by hand"
        )


@pytest.mark.code
@pytest.mark.item("SRC-06")
def test_called_paths_are_routes(
    application: Application, template: Mapping[str, Any], tree: list[Path], evidence: dict[str, object]
) -> None:
    """A part of the page would answer 404 to every user."""
    known = routes.routes(template)
    if not known:
        raise NotApplicable("the template's routes are not those of its functions' events alone")
    own = routes.prefixes(template, known)
    count, unknown = routes.unknown(application.folder, tree, known, own)
    if not count:
        raise NotApplicable("no page or script calls a path that is certain to be the API's")
    evidence["calls"] = count

    assert unknown == []


@pytest.mark.code
@pytest.mark.item("SRC-07")
def test_names_in_scripts_exist(
    application: Application, template: Mapping[str, Any], tree: list[Path], evidence: dict[str, object]
) -> None:
    """A script would read nothing, and a release stop half-way."""
    folder = application.folder
    try:
        known = [said["stack"] for said in samconfig.stacks(application.samconfig).values()]
    except UsageProblem as problem:
        raise Unverified(str(problem)) from problem
    count, unknown = named.unknown(
        shell.scripts(folder, tree) + shell.steps(folder), named.Names.of(template, known)
    )
    if not count:
        raise NotApplicable("no script or workflow writes out a name that is certain to be the stack's")
    evidence["names"] = count

    assert unknown == []


@pytest.mark.code
@pytest.mark.item("SRC-08")
def test_files_contain_no_secret(
    application: Application, tree: list[Path], evidence: dict[str, object]
) -> None:
    """Every reader of the repository could use the secret."""
    evidence["files"] = len(tree)

    assert secrets.found(application.folder, tree) == []


@pytest.mark.code
@pytest.mark.item("SRC-09")
def test_workflows_and_scripts_hold_no_serious_flaw(application: Application, tree: list[Path]) -> None:
    """A stored key works until it is revoked. A title that is run as shell has the permissions of the deployment."""
    folder = application.folder
    workflows = [file.relative_to(folder).as_posix() for file in shell.workflow_files(folder)]
    scripts = [script.place for script in shell.scripts(folder, tree)]
    if not workflows and not scripts:
        raise NotApplicable("there is no workflow and no shell script")

    found = linting.stored_keys(folder, workflows)
    try:
        found += linting.zizmor(folder, workflows) if workflows else []
        found += linting.shellcheck(folder, scripts) if scripts else []
    except Unverified:
        # What was seen counts, even where a tool is not there to see more.
        if not found:
            raise
    assert found == []
