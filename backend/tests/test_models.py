import json

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
                "dall-e-3": {"vendor_model": "gpt-image-1"},
                "imagen-3": None,
                "flux-2": {"name": "FLUX 2", "vendor": "bfl", "vendor_model": "flux-2-pro"},
            }
        )
    )
    by_id = {model.id: model for model in models}
    assert by_id["dall-e-3"].vendor_model == "gpt-image-1"
    assert by_id["dall-e-3"].name == "DALL-E 3"
    assert "imagen-3" not in by_id
    assert models[-1].id == "flux-2"


@pytest.mark.parametrize(
    "overrides",
    [
        "{",
        "[]",
        '{"dall-e-3": "x"}',
        '{"dall-e-3": {"vendor_model": 3}}',
        '{"dall-e-3": {"id": "x"}}',
        '{"dall-e-3": {"vendor": "nobody"}}',
        '{"dall-e-3": {"region": "us-east-1"}}',
        '{"nova-canvas": {"region": ""}}',
        '{"new": {"name": "New"}}',
        '{"../x": {"name": "n", "vendor": "bfl", "vendor_model": "m"}}',
        json.dumps({model.id: None for model in DEFAULT_MODELS}),
    ],
)
def test_malformed_overrides_stop_the_function(overrides: str) -> None:
    with pytest.raises(ValueError):
        load_models(overrides)
