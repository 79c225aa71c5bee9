"""verification/served.py: a page that was changed is told from one that is whole, and from one of another commit."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from requests.structures import CaseInsensitiveDict

from readiness.aws.bucket import Head, StoredObject
from readiness.errors import Unverified
from readiness.exchanges import Direct
from readiness.probes.http import Answer
from tests.probes.commands.checkout import Checkout
from verification import served
from verification.deployment import site
from verification.probes.commands import Source
from verification.probes.release import blob_id
from verification.served import BuiltFile, Difference

PUBLISHED = datetime(2026, 11, 28, 12, tzinfo=UTC)
CODE = b"export const answer = 42;\n" * 50
PAGE = b'<script type="module" src="/assets/index-aaaaaaaa.js"></script>'
SCRIPT = "assets/index-aaaaaaaa.js"


def built_file(key, body, content_type, cache_control):
    sha256, md5 = hashlib.sha256(body).hexdigest(), hashlib.md5(body).hexdigest()
    return BuiltFile(key, len(body), sha256, md5, content_type, cache_control)


BUILT = [
    built_file(SCRIPT, CODE, "text/javascript; charset=utf-8", site.FOR_EVER),
    built_file("favicon.ico", b"icon", "image/x-icon", site.A_WHILE),
    built_file("index.html", PAGE, "text/html; charset=utf-8", site.ASK_AGAIN),
]


@dataclass
class Stored:
    body: bytes
    content_type: str
    cache_control: str
    modified: datetime = PUBLISHED
    has_md5: bool = True


class Bucket:
    name = "the-page"

    def __init__(self, files):
        self.files = files

    def objects(self, _prefix):
        return [StoredObject(key, "", file.modified) for key, file in sorted(self.files.items())]

    def head(self, key):
        file = self.files[key]
        return Head(
            file.content_type, file.cache_control, hashlib.md5(file.body).hexdigest() if file.has_md5 else ""
        )


class Edge:
    """Serves what is stored; `holds` has copies of its own, `compresses` says whether anything is compressed."""

    def __init__(self, bucket):
        self.bucket, self.holds, self.compresses, self.asked = bucket, {}, True, 0

    def get(self, path, *, headers=None, as_sent=False):
        self.asked += 1
        key = "index.html" if path == "/" else path.removeprefix("/")
        file = self.holds.get(key) or self.bucket.files.get(key)
        if file is None:
            return Answer(f"GET {path}", 404, CaseInsensitiveDict(), b"", timedelta())
        sent = {"Content-Type": file.content_type, "Cache-Control": file.cache_control}
        body = file.body
        if as_sent and self.compresses and len(body) >= 1000:
            sent["Content-Encoding"] = "gzip"
            body = gzip.compress(body) if self.compresses is True else self.compresses
        return Answer(f"GET {path}", 200, CaseInsensitiveDict(sent), body, timedelta())


@pytest.fixture
def bucket():
    bodies = {SCRIPT: CODE, "favicon.ico": b"icon", "index.html": PAGE}
    return Bucket({f.key: Stored(bodies[f.key], f.content_type, f.cache_control) for f in BUILT})


@pytest.fixture
def edge(bucket):
    return Edge(bucket)


def found(bucket, edge):
    return served.differences(bucket, edge, BUILT)


def test_a_page_as_it_was_built_has_no_difference(bucket, edge):
    assert found(bucket, edge) == []
    assert edge.asked == 5  # the script also compressed, the page also at /


@pytest.mark.parametrize(
    ("key", "change", "expected"),
    [
        (SCRIPT, {"body": b"evil"}, (f"{SCRIPT} is stored with other content: expected MD5", False)),
        ("index.html", {"body": b"evil"}, ("index.html is stored with other content", True)),
        ("favicon.ico", {"body": b"evil"}, ("favicon.ico is stored with other content", True)),
        (
            SCRIPT,
            {"content_type": "text/plain"},
            ("is stored with Content-Type 'text/plain', expected", False),
        ),
        (
            "index.html",
            {"cache_control": ""},
            ("is stored with Cache-Control '', expected 'no-cache'", False),
        ),
    ],
)
def test_what_is_stored_otherwise_is_named_once(bucket, edge, key, change, expected):
    bucket.files[key] = replace(bucket.files[key], **change)

    (difference,) = found(bucket, edge)

    text, of_release = expected
    assert text in difference.text
    assert difference.of_release is of_release


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"body": CODE + b"evil"}, "served with other content: expected SHA-256"),
        ({"content_type": "text/html"}, "served with Content-Type 'text/html', expected 'text/javascript"),
        ({"cache_control": "no-store"}, "served with Cache-Control 'no-store', expected 'public"),
    ],
)
def test_what_an_edge_has_otherwise_is_named(bucket, edge, change, text):
    edge.holds[SCRIPT] = replace(bucket.files[SCRIPT], **change)

    differences = found(bucket, edge)

    assert [text in difference.text for difference in differences] == [True, True]  # plain, and compressed
    assert not any(difference.of_release for difference in differences)


@pytest.mark.parametrize(
    ("compresses", "text"),
    [(False, "is not served compressed"), (b"no gzip", "compressed, is served with other content")],
)
def test_text_has_to_come_compressed_and_whole(bucket, edge, compresses, text):
    edge.compresses = compresses

    assert [text in difference.text for difference in found(bucket, edge)] == [True]


def test_files_that_are_not_there_are_one_difference(bucket, edge):
    del bucket.files[SCRIPT], bucket.files["favicon.ico"]

    assert found(bucket, edge) == [
        Difference(f"2 of 3 files are not in the-page: {SCRIPT}, favicon.ico", of_release=True)
    ]


def test_an_object_whose_hash_s3_does_not_tell_is_unverified(bucket, edge):
    bucket.files[SCRIPT] = replace(bucket.files[SCRIPT], has_md5=False)

    with pytest.raises(Unverified, match="S3 tells no hash of assets/index"):
        found(bucket, edge)


class History:
    """A source of which one public file is known."""

    def contents(self, folder):
        assert folder == "frontend/public/"
        return {"frontend/public/old.ico": {blob_id(b"old icon")}}


def beside(bucket, edge, key, body=b"", age=timedelta()):
    bucket.files[key] = Stored(body, "text/html", "", PUBLISHED - age)
    return [
        (difference.text.split()[0], difference.of_release)
        for difference in served.unexpected_objects(bucket, edge, BUILT, History())
    ]


def test_files_of_earlier_releases_are_expected(bucket, edge):
    assert beside(bucket, edge, "assets/index-bbbbbbbb.js", age=timedelta(days=9)) == []
    assert beside(bucket, edge, "assets/of-a-build-that-shares-the-second-cccccccc.css") == []
    assert beside(bucket, edge, "old.ico", b"old icon") == []


@pytest.mark.parametrize(
    ("key", "age", "of_release"),
    [
        ("assets/evil-dddddddd.js", -timedelta(seconds=1), False),
        ("sign-in.html", timedelta(days=9), True),
        ("old.ico", timedelta(days=9), True),  # of another content than it had
        ("assets/index-aaaaaaaa.js.map", timedelta(days=9), True),
    ],
)
def test_any_other_object_is_unexpected(bucket, edge, key, age, of_release):
    assert beside(bucket, edge, key, b"other", age) == [(key, of_release)]


class Deployed:
    """A stack without functions, of the template that it is given."""

    def __init__(self, template):
        self.formation = self
        self.resources, self.functions, self.original_template = {}, [], template


class OfThisCommit:
    commit = "c0ffee"

    def changed_template(self, deployed):
        return [] if deployed == "this" else ["/Resources/Door"]


OF_RELEASE, CHANGED = Difference("a", of_release=True), Difference("b")


@pytest.mark.parametrize(
    ("template", "differences"), [("this", [OF_RELEASE]), ("other", [OF_RELEASE, CHANGED]), ("other", [])]
)
def test_what_another_commit_does_not_explain_stands(template, differences):
    served.require_this_commit(Deployed(template), OfThisCommit(), differences)


def test_what_another_commit_explains_is_unverified():
    with pytest.raises(Unverified, match="runs another commit than c0ffee") as caught:
        served.require_this_commit(Deployed("other"), OfThisCommit(), [OF_RELEASE])

    assert caught.value.cause == "another commit is deployed than the one that is verified"


@pytest.fixture
def checkout(tmp_path):
    """A committed frontend whose stand-in for Vite copies its source."""
    repository, root = Checkout(tmp_path), tmp_path
    repository.git("init", "-q")
    locked = {"packages": {"": {"version": "1.0.0"}, "node_modules/vite": {"version": "8.0.0"}}}
    repository.commit("frontend/package-lock.json", json.dumps(locked))
    repository.commit("frontend/index.html", "<!doctype html>")
    repository.tool("vite", 'mkdir -p "$3" && cp index.html "$3"\n')
    repository.write("frontend/node_modules/.package-lock.json", json.dumps(locked))
    return root


def test_the_commit_is_built_and_nothing_that_is_not_committed(checkout):
    (checkout / "frontend" / "index.html").write_text("changed and not committed")

    (file,) = served.built(Source(checkout), {}, Direct())

    assert file == built_file("index.html", b"<!doctype html>", "text/html; charset=utf-8", "no-cache")


@pytest.mark.parametrize("installed", ["{}", '{"packages": {"node_modules/vite": {"version": "7.9.0"}}}'])
def test_other_packages_than_the_commit_locks_build_nothing(checkout, installed):
    (checkout / "frontend" / "node_modules" / ".package-lock.json").write_text(installed)

    with pytest.raises(Unverified, match=r"in other versions than the commit's package-lock\.json"):
        served.built(Source(checkout), {}, Direct())
