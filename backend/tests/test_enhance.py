import pytest
from doubles import FakeBedrock
from pixel_prompt.enhance import Enhancer
from pixel_prompt.errors import ApiError
from pixel_prompt.models import TEXT_MODEL


def says(text: object) -> FakeBedrock:
    return FakeBedrock({"output": {"message": {"content": [{"text": text}], "role": "assistant"}}})


def test_the_prompt_goes_to_the_configured_model_as_the_users_words() -> None:
    bedrock = says("A fox in deep snow, soft light.")
    assert Enhancer(bedrock, TEXT_MODEL).enhance("a fox") == "A fox in deep snow, soft light."
    assert bedrock.calls[0]["modelId"] == TEXT_MODEL.vendor_model
    assert bedrock.sent()["messages"] == [{"role": "user", "content": [{"text": "a fox"}]}]
    assert bedrock.sent()["inferenceConfig"]["maxTokens"] <= 300


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ('"A fox."', "A fox."),
        ("\u201cA fox.\u201d\n\nin snow ", "A fox.\u201d in snow"),
        ("a\x00b  c", "ab c"),
        ("word " * 400, " ".join(["word"] * 200)),
        ("x" * 1500, "x" * 1000),
    ],
)
def test_the_answer_is_tidied_and_bounded(said: str, kept: str) -> None:
    enhanced = Enhancer(says(said), TEXT_MODEL).enhance("a fox")
    assert enhanced == kept
    assert len(enhanced) <= 1000


@pytest.mark.parametrize(
    "bedrock",
    [FakeBedrock(RuntimeError("down")), FakeBedrock(b"garbage"), FakeBedrock({}), says(None), says('  "" ')],
)
def test_whatever_goes_wrong_there_is_a_503(bedrock: FakeBedrock) -> None:
    with pytest.raises(ApiError) as caught:
        Enhancer(bedrock, TEXT_MODEL).enhance("a fox")
    assert (caught.value.status, caught.value.code) == (503, "service_unavailable")
