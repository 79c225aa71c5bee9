import pytest
from doubles import any_text
from hypothesis import given
from pixel_prompt.content import BLOCKED, ContentFilter

FILTER = ContentFilter()


@pytest.mark.parametrize("phrase", BLOCKED)
def test_every_listed_phrase_is_blocked_within_a_sentence(phrase: str) -> None:
    assert FILTER.blocks(f"Paint {phrase.upper()}, please")


@pytest.mark.parametrize(
    "prompt",
    [
        "PORN",
        "p o r n",
        "p.o.r.n",
        "p-o-r-n video",
        "p0rn",
        "pörn",
        "\uff50\uff4f\uff52\uff4e",
        "\u0440\u043ern",
        "po\u200brn",
        "n\u00adude",
        "nsfw!",
        "a n$fw picture",
        "child\n  porn",
        "Child-Abuse",
    ],
)
def test_disguises_are_seen_through(prompt: str) -> None:
    assert FILTER.blocks(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "a bunch of grapes",
        "drapes and gorey details of Edward Gorey",
        "Scunthorpe United",
        "a popcorn machine",
        "denuded hills",
        "a lighthouse in a storm, 4k, 35mm",
        "eine Straße im Herbst",
        "雪の中の狐",
        "",
    ],
)
def test_words_within_words_are_not(prompt: str) -> None:
    assert not FILTER.blocks(prompt)


@given(any_text(300))
def test_any_text_is_judged(prompt: str) -> None:
    assert FILTER.blocks(prompt) in (True, False)


def test_a_list_of_ones_own() -> None:
    own = ContentFilter(["green tea"])
    assert own.blocks("some green  TEA")
    assert not own.blocks("porn")
