"""What a check can ask for. Session-wide: a resource is read once, an image is made once."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import pytest_html

from readiness.environment import Environment
from readiness.errors import BudgetSpent, Missing, Unverified
from readiness.ledger import Ledger
from readiness.plugin import Verification
from readiness.probes.cdn import Cdn, key_of
from readiness.probes.http import Answer
from verification import budgets, served
from verification.allowance import Allowance
from verification.deployment import drill, outputs
from verification.deployment.drill import ThrowAway
from verification.probes import browser as browsers
from verification.probes.api import Api, Job, NotAccepted, NotEnded
from verification.probes.browser import Browser, Visit
from verification.probes.commands import Source, TestRun
from verification.probes.packages import Packages
from verification.probes.page import Page
from verification.served import BuiltFile
from verification.stack import Stack

pytest_plugins = ["readiness.fixtures"]


@pytest.fixture(scope="session")
def ledger(verification: Verification) -> Ledger:
    """What the run makes the AI vendors do, and may spend on it."""
    return verification.ledger


@pytest.fixture(scope="session")
def stack(verification: Verification, env: Environment, ledger: Ledger) -> Iterator[Stack]:
    """The deployed application. What was read of its graph goes into the report."""
    found = Stack(env, ledger)
    yield found
    if "graph" in vars(found):
        verification.keep_map(found.graph)


@pytest.fixture(scope="session")
def source(verification: Verification) -> Source:
    """The checkout that --app names."""
    return Source(verification.app)


@pytest.fixture(scope="session")
def frontend_tests(source: Source) -> TestRun:
    """One run of the frontend's tests, with coverage."""
    return source.frontend_tests()


@pytest.fixture(scope="session")
def backend_tests(source: Source) -> TestRun:
    """One run of the backend's tests, with coverage."""
    return source.backend_tests()


@pytest.fixture(scope="session")
def packages(source: Source) -> Packages:
    """The checkout's dependencies."""
    return Packages(source.app)


@pytest.fixture(scope="session")
def api(verification: Verification, env: Environment, stack: Stack, ledger: Ledger) -> Iterator[Api]:
    """The API at the stack's output; what the run has used up of its limits is given back at the end."""
    endpoint = stack.formation.output("ApiEndpoint")
    admit = partial(verification.shared.once, "allowance", partial(_require_allowance, stack, endpoint))
    made = Api(env, endpoint, ledger, partial(admit, repeatable=True))
    yield made
    # A seventh run of the day would be refused; nothing is judged by whether this comes about.
    with suppress(Exception):
        if made.counted and not env.settings.read_only:
            Allowance.of(stack, made.counted[0]).give_back(made.counted)


def _require_allowance(stack: Stack, endpoint: str) -> None:
    """Say before anything is paid, and not in the middle, that the API would refuse what a run needs.

    Raises:
        Unverified: it would.
    """
    try:
        own = Allowance.of(stack, Api(stack.env, endpoint).call("GET", "/health"))
        _ = own.is_unlimited or own.left
    except (Unverified, KeyError, ValueError):
        return  # unknown; a refusal will show it
    own.require(budgets.RUN_REQUESTS, "a run")


@pytest.fixture(scope="session")
def cdn(env: Environment, stack: Stack) -> Cdn:
    """The CDN at the stack's output."""
    return Cdn(env, stack.formation.output("CloudFrontDomain"))


@pytest.fixture(scope="session")
def site(env: Environment, stack: Stack) -> Cdn:
    """Where the page is, at the stack's output."""
    return Cdn(env, urlsplit(stack.formation.output("SiteUrl")).netloc)


@pytest.fixture(scope="session")
def page(site: Cdn, env: Environment) -> Page:
    """The page as it is served.

    Raises:
        Missing: nothing was published there.
    """
    answer = site.get("/")
    if answer.status == HTTPStatus.NOT_FOUND:
        raise Missing(
            f"{site!r} serves no page; publish it: ./scripts/deploy.sh {env.name} --frontend",
            cause="no page was published",
        )
    return Page(answer)


@pytest.fixture(scope="session")
def built(verification: Verification, env: Environment, stack: Stack, source: Source) -> Sequence[BuiltFile]:
    """The page as the commit that is checked out builds it for this stack; all processes of the run share one build."""
    values = {name: stack.formation.output(name) for name in outputs.REQUIRED}
    variables = outputs.frontend_variables(env.name, values)
    plain = verification.shared.once(
        "built page",
        lambda: [asdict(file) for file in served.built(source, variables, env.exchanges)],
        repeatable=True,
    )
    return [BuiltFile(**file) for file in plain]


@pytest.fixture(scope="session")
def make_job(verification: Verification, api: Api) -> Callable[[], Job]:
    """Makes the job of `job`, or returns it: for the items which claim that there is one.

    Raises:
        NotAccepted: there is no job.
        NotEnded: it did not end in time.
    """
    prompt = f"a lighthouse in a calm sea, seen by verification run {uuid.uuid4().hex}"
    return lambda: _of_the_run(verification, api, "job", lambda: api.begin(prompt))


@pytest.fixture(scope="session")
def job(make_job: Callable[[], Job]) -> Job:
    """A job that was made for this run and has ended, however it ended; all processes of the run share it.

    It is marked, so that no user sees it in the gallery.
    """
    return make_job()


@pytest.fixture(scope="session")
def shown_job(request: pytest.FixtureRequest, verification: Verification, api: Api) -> Job:
    """A job with images, of any age: the newest where a new one would cost money, or change what is guarded."""
    if _may_make(verification):
        with suppress(BudgetSpent):
            return cast(Job, request.getfixturevalue("job"))
    return api.newest_job()


@pytest.fixture(scope="session")
def listed_job(
    request: pytest.FixtureRequest, verification: Verification, api: Api, stack: Stack, ledger: Ledger
) -> Iterator[Job]:
    """A job that the page's gallery shows: like a user's, of the cheapest model, and withdrawn at the end.

    All processes of the run share it. Where a new one would cost money, or change what is guarded, it is the newest
    that users have made.
    """
    made = None
    if _may_make(verification):
        with suppress(BudgetSpent):
            painter = ledger.cheapest(cast(Job, request.getfixturevalue("job")).painters)
            prompt = f"a pier in the fog, seen by verification run {uuid.uuid4().hex}"
            made = _of_the_run(
                verification,
                api,
                "listed job",
                lambda: api.begin(prompt, verification=False, models=[painter]),
            )
    yield made or api.newest_job(of_users=True)
    # Whatever is wrong with withdrawing is CODE-10's to say, not that of the last check of a run. Every process that
    # has used the job withdraws it: the one that made it may be gone.
    if made:
        with suppress(Unverified):
            stack.withdraw(made.id)


def _of_the_run(verification: Verification, api: Api, name: str, begin: Callable[[], Job]) -> Job:
    """One job for all processes of the run, once it has ended. One process creates it, and all wait for it.

    Raises:
        NotAccepted: there is no job.
        NotEnded: it did not end in time.
    """

    def accepted() -> Mapping[str, Any]:
        try:
            return {"job": begin().plain()}
        except NotAccepted as problem:
            return {"answer": problem.answer.plain()}

    made = verification.shared.once(name, accepted)
    if "job" not in made:
        raise NotAccepted(Answer.of(made["answer"]))
    begun = Job.of(made["job"])

    def ended() -> Mapping[str, Any]:
        try:
            return {"job": api.finish(begun).plain()}
        except NotEnded as problem:
            return {"waited": problem.waited, "answer": problem.answer.plain()}

    made = verification.shared.once(f"end of the {name}", ended, repeatable=True)
    if "job" not in made:
        raise NotEnded(begun.id, made["waited"], Answer.of(made["answer"]))
    return Job.of(made["job"])


def _may_make(verification: Verification) -> bool:
    return verification.may_spend and not verification.environment.settings.read_only


@pytest.fixture(scope="session")
def throw_away(
    verification: Verification, env: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ThrowAway]:
    """A second stack of this environment, deployed for drills and always deleted after them."""
    drill.require_drills(env)
    made = ThrowAway(env, verification.app, tmp_path_factory.mktemp("drill"))
    try:
        made.tear_down()  # what a drill that was killed has left
        made.deploy()
        yield made
    finally:
        made.tear_down()


@pytest.fixture
def untouched_image(shown_job: Job, cdn: Cdn, stack: Stack) -> Iterator[Callable[[], str]]:
    """Gives, at each call, the URL of an image that the CDN has not served yet.

    It is a copy of an image that there is, with the headers that it was stored with; no vendor has to make another.
    """
    with ExitStack() as copies:

        def next_url() -> str:
            prefix = f"images/verification-{uuid.uuid4().hex}-"  # of its own: what has a prefix goes together
            copy = stack.bucket.temporary_copies(key_of(shown_job.sample_url), prefix, 1)
            (key,) = copies.enter_context(copy)
            return f"https://{cdn.domain}/{key}"

        yield next_url


@pytest.fixture(scope="session")
def browser(env: Environment, stack: Stack, ledger: Ledger) -> Iterator[Browser]:
    """One browser for all checks of a worker, at the page of the stack's output."""
    output = stack.formation.output
    others = [output("ApiEndpoint"), f"https://{output('CloudFrontDomain')}"]
    with browsers.started(env, output("SiteUrl"), others, met=ledger.met) as started:
        yield started


@pytest.fixture
def visit(browser: Browser, extras: list[Any]) -> Callable[..., AbstractContextManager[Visit]]:
    """Opens the page; what stood on the screen at the end goes into the report."""

    def keep(name: str, picture: bytes) -> None:
        extras.append(pytest_html.extras.jpg(base64.b64encode(picture).decode(), f"{name}, {browser.kind}"))

    return partial(browser.visit, keep=keep)
