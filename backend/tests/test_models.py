import json
from datetime import date

import pytest
from pixel_prompt.models import DEFAULT_MODELS, load_models


def test_nine_models_by_default_each_with_an_id_of_its_own() -> None:
    models = load_models()
    assert models == DEFAULT_MODELS
    assert len({model.id for model in models}) == 9


def test_overrides_change_add_and_switch_off() -> None:
    models = load_models(
        json.dumps(
            {
                "gpt-image-2": {"vendor_model": "gpt-image-2-2026-04-21"},
                "recraft-v4.1": None,
                "own": {"name": "Own", "vendor": "bfl", "vendor_model": "own-model"},
            }
        )
    )
    by_id = {model.id: model for model in models}
    assert by_id["gpt-image-2"].vendor_model == "gpt-image-2-2026-04-21"
    assert by_id["gpt-image-2"].name == "GPT Image 2"
    assert "recraft-v4.1" not in by_id
    assert models[-1].id == "own"


def test_every_default_model_says_where_and_when_its_life_was_looked_up() -> None:
    assert all(model.looked_up and model.published.startswith("https://") for model in DEFAULT_MODELS)


@pytest.mark.parametrize(
    ("change", "life"),
    [
        ({}, (None, True)),
        ({"name": "Other words"}, (None, True)),
        # What is known of a model does not hold for another one.
        ({"vendor_model": "gpt-image-2-2026-04-21"}, (None, False)),
        ({"available_until": "2027-03-01"}, (date(2027, 3, 1), True)),
        (
            {"vendor_model": "x", "available_until": "2027-03-01", "looked_up": "2026-12-01"},
            (date(2027, 3, 1), True),
        ),
        ({"vendor_model": "x", "available_until": "", "looked_up": "2026-12-01"}, (None, True)),
    ],
)
def test_overrides_say_what_is_known_of_a_models_end(
    change: dict[str, str], life: tuple[date | None, bool]
) -> None:
    (model, *_) = load_models(json.dumps({"gpt-image-2": change}))
    assert (model.available_until, model.looked_up is not None) == life


@pytest.mark.parametrize(
    "overrides",
    [
        "{",
        "[]",
        '{"gpt-image-2": "x"}',
        '{"gpt-image-2": {"vendor_model": 3}}',
        '{"gpt-image-2": {"id": "x"}}',
        '{"gpt-image-2": {"vendor": "nobody"}}',
        '{"gpt-image-2": {"region": "us-east-1"}}',
        '{"gpt-image-2": {"available_until": "soon"}}',
        '{"gpt-image-2": {"vendor_model": "x", "available_until": "2027-03-01"}}',
        '{"sd-3.5-large": {"region": ""}}',
        '{"new": {"name": "New"}}',
        '{"../x": {"name": "n", "vendor": "bfl", "vendor_model": "m"}}',
        json.dumps({model.id: None for model in DEFAULT_MODELS}),
    ],
)
def test_malformed_overrides_stop_the_function(overrides: str) -> None:
    with pytest.raises(ValueError):
        load_models(overrides)
