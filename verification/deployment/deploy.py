"""One deployment from start to end: preflight, plan, consent, build, deploy, frontend/.env, health, the page.

Every step either holds or ends the command with its name, what went wrong and what to do next.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import botocore.exceptions

from readiness import secret_parameters
from readiness.environment import Environment
from readiness.errors import Unverified, UsageProblem
from verification.application import ROOT, connect, settings
from verification.deployment import (
    account,
    aws,
    console,
    dotenv,
    health,
    keys,
    lock,
    outputs,
    parameters,
    process,
    record,
    release,
    sam,
    scratch,
    site,
    stamp,
    standing,
)
from verification.deployment.parameters import Parameters
from verification.deployment.plan import Plan, Removal

# Vite reads these after .env, so what they say wins.
_STRONGER_DOTENVS = (".env.local", ".env.production", ".env.production.local")


class StepFailed(Exception):
    """A step went wrong after the deployment began."""

    def __init__(self, step: str, problem: str) -> None:
        super().__init__(f"step '{step}' failed: {problem}")


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    environment: str
    yes: bool = False
    dry_run: bool = False
    frontend: bool = False
    cloud: str | None = None
    app: Path = ROOT
    root: Path = ROOT
    rollback: str | None = None
    tag: str | None = None
    health_deadline_s: float = 60.0
    # A distribution takes up to 15 minutes, and so does its removal in a rollback.
    patience_s: float = 2700.0
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def backend(self) -> Path:
        return self.app / "backend"

    @property
    def page(self) -> Path:
        """The page's source."""
        return self.app / "frontend"

    @property
    def dotenv(self) -> Path:
        """The file that gives the page the deployment's addresses; a rollback writes the one of the current checkout."""
        return (self.root if self.rollback else self.app) / "frontend" / ".env"

    @property
    def private(self) -> Path:
        """Locks and key file of one checkout: mode 700, under the git-ignored .local."""
        at = self.root if self.rollback else self.app
        checkout = hashlib.sha256(str(at.resolve()).encode()).hexdigest()[:12]
        return self.root / ".local" / ".deployment" / checkout

    @property
    def releases(self) -> Path:
        """Worktrees of the releases that were rolled back to."""
        return self.root / ".local" / ".deployment" / "releases"

    @property
    def command(self) -> str:
        """What to type to do the same again."""
        words = ["./scripts/deploy.sh", self.environment]
        words += ["--cloud", self.cloud] if self.cloud else []
        words += ["--rollback", self.rollback] if self.rollback else []
        words += ["--app", str(self.app)] if self.app != self.root and not self.rollback else []
        words += ["--tag", self.tag] if self.tag else []
        words += [word for each in self.parameters.items() for word in ("--parameter", "=".join(each))]
        return shlex.join(words)

    @property
    def cloud_directory(self) -> Path | None:
        """The embedded AWS this environment lives on, if it does."""
        name = settings(self.environment, self.root).cloud
        return self.root / ".local" / (self.cloud or name) if name else None


class Steps:
    """Names and times what runs, so that a failure or an interrupt can say where it happened."""

    def __init__(self) -> None:
        self.current = "preflight"
        self.durations: dict[str, float] = {}
        self.inherited: Sequence[int] = ()
        self.variables: Mapping[str, str] = {}

    @property
    def seconds(self) -> float:
        """What they took in all."""
        return sum(self.durations.values())

    def command(self, words: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> int:
        """Run a command that a later deployment waits for, should this one be killed."""
        return process.run(words, cwd=cwd, env={**env, **self.variables}, inherited=self.inherited)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.current = name
        console.err(f"==> {name}")
        start = time.monotonic()
        yield
        self.durations[name] = time.monotonic() - start


def run(options: Options) -> int:
    """Deploy, or with `dry_run` show what would be deployed; the exit status.

    Raises:
        UsageProblem: nothing was changed: wrong arguments, a tool missing, or a preflight that failed.
        StepFailed: a step failed.
        process.Interrupted: a signal ended it; what to do next was printed.
    """
    if options.rollback is not None:
        with lock.held(options.releases / "lock", f"check {options.rollback} out"):
            app = release.checked_out(options.rollback, options.app, options.releases)
        options = replace(options, app=app)
    _check(options)
    tag = (
        release.Tag.wanted(options.environment, options.tag, options.app) if options.tag is not None else None
    )
    if options.dry_run:
        console.out(str(_plan(options, _environment(options))))
        return 0
    again = f"{options.command}{' --frontend' if options.frontend else ''}"
    with _underway(options, f"deploy {options.environment}", again) as (steps, environment):
        steps.current = "preflight"
        if tag and environment.emulated:
            raise UsageProblem(
                f"'{tag.name}' would say that {environment.name} runs this commit, and this is a rehearsal; leave --tag out"
            )
        _stands_still(options, environment)
        plan = _plan(options, environment)
        console.out(str(plan))
        steps.current = "consent"
        if not options.yes and not _agreed(
            environment.name if environment.settings.production else "yes", "deploy"
        ):
            console.out("Nothing was deployed.")
            return 1
        _deploy(options, environment, plan, steps, tag)
    return 0


def delete(options: Options) -> int:
    """Delete the environment's stack; the exit status. What the template retains stays, and is named.

    Raises:
        UsageProblem: nothing was changed: wrong arguments, a tool missing, or a preflight that failed.
        StepFailed: the stack could not be deleted entirely.
        process.Interrupted: a signal ended it; what to do next was printed.
    """
    _check(options)
    if options.dry_run:
        environment = _environment(options)
        found = standing.standing(environment)
        standing.require_still(environment, found)
        _is_planned(environment, found)
        return 0
    with _underway(options, f"delete {options.environment}", f"{options.command} --delete") as (
        steps,
        environment,
    ):
        if not _is_planned(environment, _stands_still(options, environment)):
            return 0
        steps.current = "consent"
        if not options.yes and not _agreed(f"delete {environment.name}", "delete"):
            console.out("Nothing was deleted.")
            return 1
        _delete(options, environment, steps)
        console.out(f"Deleted '{environment.stack_name}'. {_dotenv_name(options)} still names its addresses.")
    return 0


def _is_planned(environment: Environment, found: standing.Standing) -> bool:
    """Show what deleting the stack would do; whether there is one."""
    if found.status is None:
        console.out(f"There is no stack '{environment.stack_name}' in {environment.region}.")
        return False
    standing.require_deletable(environment, found)
    kept = standing.kept_by_deletion(environment) if found.exists else []
    console.out(str(Removal(environment, found, kept)))
    return True


@contextlib.contextmanager
def _underway(options: Options, purpose: str, again: str) -> Iterator[tuple[Steps, Environment]]:
    """The one thing that this checkout is at, once everything that a killed deployment left has ended or is gone."""
    steps = Steps()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_explained(steps, again))
        stack.enter_context(lock.held(options.private / "lock", purpose))
        quiet = lock.quiet(options.private / "children", patience_s=options.patience_s, say=_note)
        steps.inherited = [stack.enter_context(quiet)]
        parameters.remove_left_behind(options.private)
        steps.variables = stack.enter_context(scratch.variables(options.private))
        directory = options.cloud_directory
        if directory is not None:
            with steps.step("embedded AWS"):
                _start_cloud(options, directory.name)
        yield steps, _environment(options)


def _note(text: str) -> None:
    console.err(f"note: {text}")


def _stands_still(options: Options, environment: Environment) -> standing.Standing:
    return standing.stands_still(environment, patience_s=options.patience_s, say=_note)


def tear_down(options: Options) -> int:
    """Delete what a drill that was cut off has left; the exit status.

    Raises:
        UsageProblem: the environment cannot be reached.
        StepFailed: something is left.
    """
    from verification.deployment.drill import ThrowAway  # noqa: PLC0415  # a deployment needs nothing of it

    environment = _environment(options)
    throw_away = ThrowAway(environment, options.app, options.private)
    try:
        gone = throw_away.tear_down()
    except Unverified as problem:
        raise StepFailed("tear down", str(problem)) from problem
    console.out(f"deleted: {', '.join(gone)}" if gone else f"no drill of '{environment.name}' left anything")
    return 0


def reuse(options: Options) -> str | None:
    """Return why a deployment is needed; nothing when the deployment matches the checkout, and frontend/.env names it.

    Raises:
        UsageProblem: the environment cannot be reached.
        StepFailed: frontend/.env could not be written.
    """
    directory = options.cloud_directory
    if directory is None:
        return f"'{options.environment}' is deployed deliberately"
    environment = _environment(options)
    found = standing.standing(environment)
    gathered = _parameters(options, environment, found)
    digest = stamp.digest(options.backend, gathered)
    reason = stamp.difference(directory, environment.stack_name, digest, found)
    if reason is None and options.frontend:
        variables = outputs.frontend_variables(environment.name, found.outputs)
        page = stamp.page_digest(options.page, variables)
        reason = stamp.page_difference(directory, environment.stack_name, page, found)
    if reason is None:
        write_dotenv(options, outputs.checked(environment.stack_name, found.outputs))
    return reason


def stack_outputs(options: Options) -> dict[str, str]:
    """The deployed stack's outputs.

    Raises:
        UsageProblem: the environment cannot be reached, or nothing is deployed.
        outputs.OutputProblem: the stack lacks an output that the frontend needs.
    """
    environment = _environment(options)
    found = standing.standing(environment)
    if not found.exists:
        raise UsageProblem(
            f"no stack '{environment.stack_name}' in {environment.region}; "
            f"deploy it first: ./scripts/deploy.sh {environment.name}"
        )
    return outputs.checked(environment.stack_name, found.outputs)


def write_dotenv(options: Options, values: dict[str, str]) -> bool:
    """Bring frontend/.env in line with the stack's outputs; whether it changed.

    Raises:
        StepFailed: the file could not be written; it is unchanged.
    """
    try:
        return dotenv.update(
            options.dotenv,
            outputs.frontend_variables(options.environment, values),
        )
    except (dotenv.DotenvProblem, ValueError) as problem:
        raise StepFailed("frontend/.env", str(problem)) from problem


def _check(options: Options) -> None:
    """What is wrong with the arguments or this machine, before anything is asked of a network."""
    for file in ("template.yaml", "samconfig.toml"):
        if not (options.backend / file).is_file():
            raise UsageProblem(
                f"{options.backend / file} is not there; run from a checkout of the application, or name one: --app DIR"
            )
    if not (options.app / "frontend").is_dir():
        raise UsageProblem(
            f"{options.app / 'frontend'} is not there, so its .env cannot be written; name a checkout: --app DIR"
        )
    if shutil.which("sam") is None:
        raise UsageProblem("'sam' is not installed; run ./scripts/setup.sh")
    if options.frontend:
        _check_frontend(options)
    if not (options.yes or options.dry_run):
        console.require_terminal()


def _check_frontend(options: Options) -> None:
    if shutil.which("npm") is None:
        raise UsageProblem("'npm' is not installed, so the page cannot be built; run ./scripts/setup.sh")
    # A release of another day gets its own packages.
    for needed in ("package.json",) if options.rollback else ("package.json", "node_modules"):
        if not (options.page / needed).exists():
            raise UsageProblem(
                f"{options.page / needed} is not there, so the page cannot be built; run that checkout's ./scripts/setup.sh"
            )


def _environment(options: Options) -> Environment:
    environment = connect(options.environment, cloud=options.cloud, root=options.root)
    environment.preflight()
    return environment


def _start_cloud(options: Options, name: str) -> None:
    command = [str(options.root / "scripts" / "cloud.sh"), "up", "--name", name]
    status = process.run(command, cwd=options.root, env=secret_parameters.without(os.environ))
    if status:
        raise StepFailed(
            "embedded AWS",
            f"{' '.join(command)} ended with {status}; see ./scripts/cloud.sh logs --name {name}",
        )


def _parameters(options: Options, environment: Environment, found: standing.Standing) -> Parameters:
    declared = parameters.declared(options.backend / "template.yaml")
    samconfig = options.backend / "samconfig.toml"
    config = parameters.configured(samconfig, environment.name, environment.stack_name)
    secrets = [each.name for each in declared if each.secret]
    for name in options.parameters.keys() & set(secrets):
        raise UsageProblem(
            f"--parameter '{name}' is a secret, and a command line can be read by others; give it in the variable "
            f"{secret_parameters.variable_of(name)}, or in backend/.env.{environment.name}"
        )
    return parameters.combined(
        declared,
        config | parameters.ambient(environment.name, os.environ) | options.parameters,
        _keys(options, environment, secrets, exists=found.exists),
        found.parameters,
        exists=found.exists,
    )


def _keys(options: Options, environment: Environment, secrets: Sequence[str], *, exists: bool) -> keys.Keys:
    """Simulated providers get simulated keys: a person's own must not go where they are not needed."""
    directory = options.cloud_directory
    if directory is not None:
        return keys.simulated(secrets, directory)
    given = keys.given(secrets, environment.name, options.app, os.environ)
    if exists or not environment.emulated:
        return given
    filled = keys.simulated(secrets, options.private)
    return keys.Keys({**filled.values, **given.values}, {**filled.sources, **given.sources})


def _plan(options: Options, environment: Environment) -> Plan:
    found = standing.standing(environment)
    standing.require_deployable(environment, found)
    if options.rollback is not None and not found.exists:
        raise UsageProblem(
            f"there is no stack '{environment.stack_name}' that could be rolled back; deploy one: "
            f"./scripts/deploy.sh {environment.name}"
        )
    gathered = _parameters(options, environment, found)
    described = release.described(options.app)
    return Plan(
        environment=environment.name,
        account=environment.account_id,
        region=environment.region,
        stack=environment.stack_name,
        endpoint=environment.client("cloudformation").meta.endpoint_url,
        emulated=environment.emulated,
        standing=found,
        parameters=gathered,
        notes=_of_the_account(options, environment, gathered, found),
        release=f"{described} (rollback to {options.rollback})" if options.rollback else described,
        **({"page": f"built from {options.page}, then published"} if options.frontend else {}),
    )


def _of_the_account(
    options: Options, environment: Environment, gathered: Parameters, found: standing.Standing
) -> list[str]:
    """What the account still needs before the stack works.

    Raises:
        UsageProblem: CloudFormation could not even make the stack.
    """

    def clients(service: str, region: str | None = None) -> object:
        return aws.client(environment, service, region)

    template = parameters.document(options.backend / "template.yaml")
    note = account.require_concurrency(clients, template, gathered.passed, found)
    # An embedded AWS has no Marketplace, and its models want no subscription.
    models = [] if environment.emulated else account.models_to_subscribe(clients, template)
    return [*([note] if note else []), *models]


def _agreed(expected: str, what: str) -> bool:
    """Ask for the words that mean this very thing."""
    answer = console.answer(f"Type '{expected}' to {what}: ")
    return answer == expected or (expected == "yes" and answer == "y")


def _deploy(
    options: Options, environment: Environment, plan: Plan, steps: Steps, tag: release.Tag | None
) -> None:
    digest = _apply(options, environment, plan, steps)

    if environment.settings.production and not plan.standing.protected:
        with steps.step("termination protection"):
            _protect(environment)

    with steps.step("outputs"):
        found = standing.standing(environment)
        try:
            values = outputs.checked(environment.stack_name, found.outputs, hosting=options.frontend)
        except outputs.OutputProblem as problem:
            raise StepFailed("outputs", str(problem)) from problem

    with steps.step("frontend/.env"):
        changed = write_dotenv(options, values)
        console.out(f"{_dotenv_name(options)} {'now says' if changed else 'already says'}:")
        for name, value in outputs.frontend_variables(environment.name, values).items():
            console.out(f"  {name}={value}")
        for note in _overridden(options.dotenv.parent):
            _note(note)

    with steps.step("health check"):
        try:
            answer = health.wait_until_healthy(
                values[outputs.API_ENDPOINT],
                environment.name,
                health.https_fetch(_trusted_roots(environment)),
                deadline_s=options.health_deadline_s,
            )
        except health.Unhealthy as problem:
            raise StepFailed(
                "health check",
                f"{problem}. The stack is deployed; check its log groups and alarms, then fix the cause or roll back",
            ) from problem
        console.out(
            f"healthy: version {answer.get('version', 'unknown')}, {len(answer.get('models', []))} models"
        )

    if options.frontend:
        _publish(options, environment, values, steps)

    if options.cloud_directory is not None:
        stamp.remember(options.cloud_directory, environment.stack_name, digest, found)
        if options.frontend:
            page = stamp.page_digest(options.page, outputs.frontend_variables(environment.name, values))
            stamp.remember_page(options.cloud_directory, environment.stack_name, page, found)
    if tag:
        _tag(tag, environment, steps)
    steps.current = "record"
    _account(options, environment, plan, found, steps)
    console.out(_next_steps(options, environment))


def _apply(options: Options, environment: Environment, plan: Plan, steps: Steps) -> str:
    """Build and deploy the backend; the stamp of what was deployed."""
    variables = sam.variables(environment, os.environ)
    with steps.step("sam build"), _unless_cut(options):
        remove_bytecode(options.backend / "src")
        digest = stamp.digest(options.backend, plan.parameters)
        status = steps.command(sam.build(), cwd=options.backend, env=variables)
        if status:
            raise StepFailed(
                "sam build",
                f"exit status {status}; nothing was deployed. Fix what it says above, then run again",
            )

    if plan.standing.hollow:
        _delete(options, environment, steps)

    with steps.step("sam deploy"):
        with parameters.private_file(options.private, plan.parameters.passed) as file:
            status = steps.command(sam.deploy(environment, file), cwd=options.backend, env=variables)
        if status:
            raise StepFailed("sam deploy", _why_not(environment, plan.standing, status))
    return digest


def _protect(environment: Environment) -> None:
    """Protect the stack from deletion: INF-17 requires it for prod, and a template cannot declare it."""
    try:
        aws.client(environment, "cloudformation").update_termination_protection(
            StackName=environment.stack_name, EnableTerminationProtection=True
        )
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as problem:
        raise StepFailed(
            "termination protection",
            f"{problem}. The stack is deployed and can be deleted by mistake; fix the cause, then run again",
        ) from problem
    console.out("termination protection: on")


def _tag(tag: release.Tag, environment: Environment, steps: Steps) -> None:
    with steps.step("tag"):
        try:
            tag.make(f"Deployed to '{environment.stack_name}' in {environment.region}")
        except UsageProblem as problem:
            raise StepFailed(
                "tag", f"{problem}. {environment.name} runs the commit all the same"
            ) from problem
        console.out(f"tag: {tag.name}; to share it: git push origin {tag.name}")


@contextlib.contextmanager
def _unless_cut(options: Options) -> Iterator[None]:
    """Build from nothing when the last build was cut off.

    SAM takes a half copied folder in its cache for a whole one once the source is again what it was before.
    """
    folder = options.backend / ".aws-sam"
    cut = folder / ".building"
    if cut.exists():
        shutil.rmtree(folder)
    folder.mkdir(exist_ok=True)
    cut.touch()
    yield
    cut.unlink(missing_ok=True)


def _delete(options: Options, environment: Environment, steps: Steps) -> None:
    before = standing.standing(environment)
    with steps.step("sam delete"):
        status = steps.command(
            sam.delete(environment), cwd=options.backend, env=sam.variables(environment, os.environ)
        )
        now = _stands_still(options, environment)
        # Gone, or already another's: the stack of that id is no more.
        if now.status is None or now.stack_id != before.stack_id:
            return
        reason = standing.first_failure(environment)
        raise StepFailed(
            "sam delete",
            f"exit status {status}; the stack is {now.status}{f', first failure {reason}' if reason else ''}. "
            "Fix the cause, then run again",
        )


def _account(
    options: Options, environment: Environment, plan: Plan, found: standing.Standing, steps: Steps
) -> None:
    """Say what it took, and keep that beside the environment's reports."""
    changed = (found.stack_id, found.changed) != (plan.standing.stack_id, plan.standing.changed)
    events = standing.last_operation(environment) if changed else []
    distributions = record.distributions(events)
    what = ("updated" if plan.standing.exists else "created") if changed else "unchanged"
    durations = {name: round(taken, 1) for name, taken in steps.durations.items()}
    record.keep(
        options.root / "reports" / environment.name / "deployments.jsonl",
        {
            "stack": environment.stack_name,
            "region": environment.region,
            "emulated": environment.emulated,
            "release": plan.release,
            "stack_was": what,
            "seconds": round(steps.seconds, 1),
            "steps": durations,
            "distributions": distributions,
        },
    )
    taken = ", ".join(f"{name} {each} s" for name, each in durations.items())
    console.out(f"Deployed '{environment.name}' in {steps.seconds:.1f} s, stack {what} ({taken})")
    for name, each in distributions.items():
        console.out(f"CloudFront: {name} took {each:.0f} s")


def _publish(options: Options, environment: Environment, values: dict[str, str], steps: Steps) -> None:
    """Build the page for this very stack and put it where people open it."""
    with steps.step("page build"):
        # Vite prefers variables to every .env file, so that no other one can point the page elsewhere.
        variables = {
            name: value
            for name, value in secret_parameters.without(os.environ).items()
            if not name.startswith(("AWS_", "VITE_"))
        } | outputs.frontend_variables(environment.name, values)
        if options.rollback and not (options.page / "node_modules" / ".package-lock.json").exists():
            install = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
            status = steps.command(install, cwd=options.page, env=variables)
            if status:
                raise StepFailed(
                    "page build",
                    f"{' '.join(install)} ended with {status}; the page is still the old one. Fix what it says above, "
                    "then run again",
                )
        status = steps.command(["npm", "run", "build"], cwd=options.page, env=variables)
        if status:
            raise StepFailed(
                "page build",
                f"exit status {status}; the page is still the old one. Fix what it says above, then run again",
            )

    with steps.step("page upload"):
        home = site.Site(values[outputs.SITE_BUCKET], values[outputs.SITE_DISTRIBUTION])
        fetch = health.https_fetch(_trusted_roots(environment))
        try:
            content = site.files(options.page / "dist")
            names = site.named(content[-1].path.read_text(encoding="utf-8"))
            stored = home.store(content, aws.client(environment, "s3"))
            # A killed deployment may have stored the page, and not have told the edges.
            if stored or not health.is_published(values[outputs.SITE_URL], names, fetch):
                home.forget(aws.client(environment, "cloudfront"), reference=uuid.uuid4().hex)
        except site.PageProblem as problem:
            raise StepFailed("page upload", str(problem)) from problem
        console.out(f"published {stored} of {len(content)} files; the others were there")

    with steps.step("page health check"):
        try:
            health.wait_until_published(
                values[outputs.SITE_URL],
                names,
                fetch,
                deadline_s=options.health_deadline_s,
            )
        except health.Unhealthy as problem:
            raise StepFailed(
                "page health check",
                f"{problem}. The page is stored; check its distribution, then fix the cause or roll back",
            ) from problem
        console.out(f"page: {values[outputs.SITE_URL]}")


def remove_bytecode(source: Path) -> None:
    """Bytecode would be packed with the functions: another hash at every deployment of the same commit."""
    for cache in list(source.rglob("__pycache__")):
        shutil.rmtree(cache, ignore_errors=True)
    for compiled in list(source.rglob("*.py[co]")):
        compiled.unlink(missing_ok=True)


def _why_not(environment: Environment, before: standing.Standing, status: int) -> str:
    """What CloudFormation itself says about a deployment that SAM gave up."""
    words = [f"exit status {status}"]
    try:
        now = standing.standing(environment)
    except UsageProblem:
        now = before
    if (now.status, now.changed) != (before.status, before.changed):
        words.append(f"the stack is now {now.status}")
        reason = standing.first_failure(environment)
        if reason:
            words.append(f"first failure {reason}")
    return f"{'; '.join(words)}. frontend/.env is unchanged. Fix the cause, then run again"


def _overridden(frontend: Path) -> Iterator[str]:
    names = outputs.frontend_variables("", dict.fromkeys(outputs.REQUIRED, ""))
    for file in _STRONGER_DOTENVS:
        with contextlib.suppress(dotenv.DotenvProblem):
            for name in sorted(names.keys() & dotenv.parsed(dotenv.read(frontend / file)).keys()):
                yield f"frontend/{file} sets {name} too, and Vite prefers it to .env; remove it there"


def _trusted_roots(environment: Environment) -> str | None:
    return environment.ca_bundle or os.environ.get("AWS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")


def _dotenv_name(options: Options) -> str:
    return "frontend/.env" if options.dotenv.is_relative_to(options.root) else str(options.dotenv)


def _next_steps(options: Options, environment: Environment) -> str:
    flags = f" --cloud {options.cloud}" if options.cloud else ""
    elsewhere = f" --app {options.app}" if options.app != options.root else ""
    steps = [f"./scripts/verify.sh --env {environment.name}{flags}{elsewhere}"]
    if not options.frontend:
        steps.append(f"{options.command} --frontend")
    return "\n".join(["Next:", *(f"  {step}" for step in steps)])


@contextlib.contextmanager
def _explained(steps: Steps, again: str) -> Iterator[None]:
    """Report the step that was interrupted and how to continue. The clean-up is done by then."""
    try:
        yield
    except process.Interrupted as interrupt:
        going_on = (
            " CloudFormation may continue the update: wait until the stack is no longer in progress."
            if steps.current in ("sam deploy", "sam delete")
            else ""
        )
        console.err(
            f"interrupted ({interrupt}) during '{steps.current}'.{going_on} To continue, run again: {again}"
        )
        raise
    except OSError as problem:
        raise StepFailed(steps.current, str(problem)) from problem
