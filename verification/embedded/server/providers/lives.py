"""When the vendors' models end: what the simulated vendors refuse, and say beforehand where an API tells.

A model that is not named here ends on no announced day. The days are the vendors' own, as of November 2026.

Sources:
    OpenAI, https://developers.openai.com/api/docs/deprecations
    Google, https://ai.google.dev/gemini-api/docs/deprecations ,
        https://ai.google.dev/gemini-api/docs/changelog
    Gemini 3.1 Flash Image's last day, https://github.com/BerriAI/litellm/discussions/44983
    Bedrock, https://docs.aws.amazon.com/bedrock/latest/userguide/model-lifecycle.html
"""

from collections.abc import Mapping
from datetime import date, timedelta

LIVES: Mapping[str, Mapping[str, date]] = {
    "openai": {
        "dall-e-2": date(2026, 5, 12),
        "dall-e-3": date(2026, 5, 12),
        "gpt-image-1": date(2026, 10, 23),
        "gpt-image-1-mini": date(2026, 12, 1),
        "gpt-image-1.5": date(2026, 12, 1),
    },
    "google": {
        "imagen-4.0-generate-001": date(2026, 8, 17),
        "gemini-2.5-flash-image": date(2026, 10, 2),
        "gemini-3.1-flash-image": date(2026, 10, 29),
    },
    "bedrock": {
        "amazon.titan-image-generator-v2:0": date(2026, 6, 30),
        "amazon.nova-canvas-v1:0": date(2026, 9, 30),
    },
}

LEGACY = timedelta(days=182)
"""How long before its end Bedrock calls a model Legacy; who has not used it before cannot begin to."""
