"""What the stack costs a month on AWS, from a table of prices and a stated traffic.

List prices without free tiers or taxes, so what the bill says is rather less. Vendors outside AWS charge for
their images on their own bills, which no AWS budget covers. `python -m verification.costs` writes docs/COST.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from readiness import samconfig
from readiness.ledger import Prices
from verification import budgets
from verification.application import ROOT, names, production, settings

_AWS = "aws.amazon.com/{}/pricing"


@dataclass(frozen=True)
class Price:
    """One list price as of November 2026; AWS's in us-east-1 (Bedrock's Stability models: us-west-2).

    Args:
        usd: for one `unit`.
        source: where the vendor publishes it.
        seen: what confirmed it. AWS's pages could not be read when the table was written; '' for nothing.
    """

    usd: float
    unit: str
    source: str
    seen: str = ""


_DYNAMODB_SEEN = "airbyte.com, Amazon DynamoDB Pricing"
_WAF_SEEN = "c3x.dev, AWS WAF cost explained"
_MODELS_SEEN = "tables of resellers, October 2026, which do not agree"
PRICES: Final = {
    "Stable Image Core": Price(0.04, "image", _AWS.format("bedrock"), _MODELS_SEEN),
    "Stable Diffusion 3.5 Large": Price(0.08, "image", _AWS.format("bedrock"), _MODELS_SEEN),
    "Nova Lite, read": Price(0.06e-6, "token", _AWS.format("bedrock")),
    "Nova Lite, written": Price(0.24e-6, "token", _AWS.format("bedrock")),
    "Lambda, arm64": Price(
        0.0000133334, "GB-second", _AWS.format("lambda"), "cloudchipr.com, AWS Lambda Pricing Breakdown"
    ),
    "Lambda calls": Price(
        0.20e-6, "call", _AWS.format("lambda"), "cloudchipr.com, AWS Lambda Pricing Breakdown"
    ),
    "HTTP API": Price(1.00e-6, "request", _AWS.format("api-gateway")),
    "SQS": Price(0.40e-6, "request", _AWS.format("sqs")),
    "DynamoDB writes": Price(0.625e-6, "write", _AWS.format("dynamodb"), _DYNAMODB_SEEN),
    "DynamoDB reads": Price(0.125e-6, "read", _AWS.format("dynamodb"), _DYNAMODB_SEEN),
    "S3 storage": Price(0.023, "GB-month", _AWS.format("s3")),
    "S3 writes": Price(0.005e-3, "write", _AWS.format("s3")),
    "CloudFront traffic": Price(0.085, "GB", _AWS.format("cloudfront")),
    "CloudFront requests": Price(1.00e-6, "request", _AWS.format("cloudfront")),
    "Web ACL": Price(5.00, "web ACL", _AWS.format("waf"), _WAF_SEEN),
    "Web ACL rules": Price(1.00, "rule", _AWS.format("waf"), _WAF_SEEN),
    "Web ACL requests": Price(0.60e-6, "request", _AWS.format("waf"), _WAF_SEEN),
    "Logs": Price(0.50, "GB taken in", _AWS.format("cloudwatch")),
    "Alarms": Price(0.10, "alarm", _AWS.format("cloudwatch")),
    "Traces": Price(5.00e-6, "trace", _AWS.format("xray")),
    "Secrets": Price(0.40, "secret", _AWS.format("secrets-manager")),
    "Keys": Price(1.00, "key", _AWS.format("kms")),
}


# One image of each model of the registry as its adapter asks for it, by the model's id.
IMAGES: Final = {
    "gpt-image-2": Price(
        0.006,
        "image, 1024 px, low quality",
        "developers.openai.com/api/docs/models/gpt-image-2",
        "pages that quote OpenAI's, October 2026",
    ),
    "nano-banana-2.1": Price(
        0.0336,
        "image, 1K",
        "ai.google.dev/gemini-api/docs/pricing",
        "github.com/BerriAI/litellm/discussions/44983",
    ),
    "nano-banana-2-lite": Price(
        0.034, "image, 1K", "ai.google.dev/gemini-api/docs/pricing", "tables of resellers, October 2026"
    ),
    "stable-image-core": PRICES["Stable Image Core"],
    "sd-3.5-large": PRICES["Stable Diffusion 3.5 Large"],
    "flux-2-pro": Price(0.03, "image, 1 megapixel", "docs.bfl.ai/quick_start/pricing", "the vendor's page"),
    "flux-2-klein": Price(
        0.015, "image, 1 megapixel", "docs.bfl.ai/quick_start/pricing", "the vendor's page"
    ),
    "recraft-v4.1": Price(0.035, "image", "recraft.ai/docs/recraft-models/introduction", "the vendor's page"),
    "stability-turbo": Price(
        0.04, "image", "platform.stability.ai/pricing", "developer.puter.com, Stability AI API Pricing"
    ),
}


def image_usd(model_id: str) -> float | None:
    """What one image of this model of the registry costs at list price; None when no price is known."""
    price = IMAGES.get(model_id)
    return price.usd if price else None


@dataclass(frozen=True)
class Shape:
    """What of a stack decides on its price; the defaults are the template's."""

    worker_memory_mb: int = budgets.WORKER_MEMORY_MB
    api_memory_mb: int = 1024
    alarms: int = 8
    web_acl_rules: int | None = 2  # None without a web ACL


@dataclass(frozen=True)
class Line:
    """One line of an estimate."""

    what: str
    quantity: float

    @property
    def price(self) -> Price:
        return PRICES[self.what]

    @property
    def usd(self) -> float:
        return self.quantity * self.price.usd


# What one job brings with it. Source: own judgement, from the web application's polling and nine images a job.
_IMAGE_GB = 0.0015
_VIEWS_OF_AN_IMAGE = 3
_ENHANCED_TOKENS = (150, 250)  # read, written
_WORKER_SECONDS = 60
_API_REQUESTS = 80
_API_SECONDS = 0.1
_WRITES = 30
_LOG_GB = 0.0002
_TRACED = 0.05  # X-Ray's default rule samples one in twenty
_POLLS_A_MONTH = 660_000  # five pollers of Lambda that wait 20 s each


def enhancement_usd() -> float:
    """What the text model charges for one enhanced prompt."""
    read, written = _ENHANCED_TOKENS
    return PRICES["Nova Lite, read"].usd * read + PRICES["Nova Lite, written"].usd * written


PRICES_OF_RUN: Final = Prices(
    images=("POST", "/generate", HTTPStatus.ACCEPTED),
    enhancements=("POST", "/enhance", HTTPStatus.OK),
    image_usd=image_usd,
    enhancement_usd=enhancement_usd(),
    models=budgets.MODELS,
)
"""What a verification's paid requests cost. Source of the requests: backend/openapi.yaml."""


def estimate(shape: Shape, jobs: int) -> Sequence[Line]:
    """The month's lines for that many jobs, images kept for thirty days."""
    requests = jobs * _API_REQUESTS
    images = jobs * budgets.MODELS
    views = images * _VIEWS_OF_AN_IMAGE
    worker_gb_s = jobs * _WORKER_SECONDS * shape.worker_memory_mb / 1024
    api_gb_s = requests * _API_SECONDS * shape.api_memory_mb / 1024
    has_acl = shape.web_acl_rules is not None
    return [
        Line("Stable Image Core", jobs),
        Line("Stable Diffusion 3.5 Large", jobs),
        Line("Nova Lite, read", jobs * _ENHANCED_TOKENS[0]),
        Line("Nova Lite, written", jobs * _ENHANCED_TOKENS[1]),
        Line("Lambda, arm64", worker_gb_s + api_gb_s),
        Line("Lambda calls", requests + jobs),
        Line("HTTP API", requests),
        Line("SQS", _POLLS_A_MONTH + 10 * jobs),
        Line("DynamoDB writes", jobs * _WRITES),
        Line("DynamoDB reads", requests),
        Line("S3 storage", images * _IMAGE_GB),
        Line("S3 writes", images),
        Line("CloudFront traffic", views * _IMAGE_GB),
        Line("CloudFront requests", views),
        Line("Web ACL", int(has_acl)),
        Line("Web ACL rules", shape.web_acl_rules or 0),
        Line("Web ACL requests", views if has_acl else 0),
        Line("Logs", jobs * _LOG_GB),
        Line("Alarms", shape.alarms),
        Line("Traces", (requests + jobs) * _TRACED),
        Line("Secrets", 1),
        Line("Keys", 1),
    ]


def total_usd(lines: Sequence[Line]) -> float:
    """The sum of an estimate."""
    return sum(line.usd for line in lines)


def granted_usd(file: Path, environment: str) -> float:
    """`MonthlyBudgetUsd` of one environment in samconfig.toml; 0, the template's default, where it is not set."""
    return float(samconfig.parameters(file, environment).get("MonthlyBudgetUsd", 0))


def render(root: Path = ROOT) -> str:
    """docs/COST.md."""
    environments = [settings(name, root) for name in names(root)]
    example = production(root)
    lines = estimate(Shape(), example.jobs_a_month)
    rows = [
        f"| {one.name} | {one.jobs_a_month:,} | {total_usd(estimate(_shape(one.name), one.jobs_a_month)):.2f} "
        f"| {granted_usd(root / 'backend' / 'samconfig.toml', one.name):.0f} |"
        for one in environments
    ]
    bill = [
        f"| {line.what} | {line.quantity:,.0f} | {line.price.unit} | {line.price.usd:.10f}".rstrip(
            "0"
        ).rstrip(".")
        + f" | {line.usd:.2f} |"
        for line in lines
    ]
    sources = [
        f"| {name} | {price.source} | {price.seen or 'not confirmed'} |" for name, price in PRICES.items()
    ]
    images = [
        f"| `{model}` | {price.unit} | {price.usd:g} | {price.source} | {price.seen or 'not confirmed'} |"
        for model, price in IMAGES.items()
    ]
    return "\n".join(
        [
            "# Cost",
            "",
            "Generated by `python -m verification.costs` from the table of prices in `verification/costs.py`. INF-16 makes",
            "the same estimate from the live stack and holds it against its budget.",
            "",
            "AWS alone, at list prices of November 2026 without free tiers: the vendors outside AWS send their own bills for",
            "seven of the nine images of a job, and no AWS budget sees those.",
            "",
            "| environment | jobs a month | estimate, USD | `MonthlyBudgetUsd` |",
            "|---|--:|--:|--:|",
            *rows,
            "",
            "`jobs_a_month` is in `environments.toml`, the budget in `backend/samconfig.toml`.",
            "",
            f"## {example.name}, {example.jobs_a_month:,} jobs",
            "",
            "| what | quantity | unit | USD each | USD |",
            "|---|--:|---|--:|--:|",
            *bill,
            f"| **sum** | | | | **{total_usd(lines):.2f}** |",
            "",
            "## Where the prices are from",
            "",
            "AWS's own pages could not be read when the table was written; the third column says who confirms a price.",
            "",
            "| price | published at | confirmed by |",
            "|---|---|---|",
            *sources,
            "",
            "## One image of each model",
            "",
            "List prices of November 2026, for an image as the adapters ask for it. A job of all nine models costs about",
            f"{sum(price.usd for price in IMAGES.values()):.2f} USD. An operator's own model has no price here.",
            "",
            "| model | unit | USD | published at | confirmed by |",
            "|---|---|--:|---|---|",
            *images,
            "",
        ]
    )


def _shape(environment: str) -> Shape:
    return Shape(web_acl_rules=None) if environment == "dev" else Shape()


if __name__ == "__main__":
    (ROOT / "docs" / "COST.md").write_text(render(), encoding="utf-8")
