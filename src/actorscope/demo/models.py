"""The models that the fleet calls: what they cost, how fast they answer, and how many tokens a turn takes."""

from __future__ import annotations

from dataclasses import dataclass

from actorscope.demo.run import Run


@dataclass(frozen=True)
class Model:
    """A model with its provider names, prices in dollars per million tokens, and speed."""

    name: str
    response: str
    provider: str
    chain: str
    input_price: float
    output_price: float
    seconds_per_token: float


@dataclass(frozen=True)
class Usage:
    """What one call of a model used."""

    model: Model
    input: int
    output: int
    cached: int
    cost: float


GPT_41 = Model("gpt-4.1", "gpt-4.1-2025-04-14", "openai", "ChatOpenAI", 2.0, 8.0, 0.011)
GPT_4O_MINI = Model("gpt-4o-mini", "gpt-4o-mini-2024-07-18", "openai", "ChatOpenAI", 0.15, 0.6, 0.008)
SONNET = Model("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "anthropic", "ChatAnthropic", 3.0, 15.0, 0.014)
FLASH = Model("gemini-2.5-flash", "gemini-2.5-flash", "gcp.gemini", "ChatGoogleGenerativeAI", 0.3, 2.5, 0.006)


@dataclass
class Mind:
    """The context of one agent in one run: it grows with every turn and every tool result."""

    run: Run
    model: Model
    context: float
    seen: int = 0
    spent: float = 0.0

    def turn(self, output_tokens: float = 140.0) -> Usage:
        """Calls the model once: draws the tokens, lets the time pass and keeps the answer in the context."""
        run, model = self.run, self.model
        tokens_in = int(self.context)
        tokens_out = max(8, int(run.draw(output_tokens, 0.4)))
        cached = self.seen // 128 * 128
        cost = (tokens_in * model.input_price + tokens_out * model.output_price) / 1_000_000
        run.wait(0.35 + tokens_out * model.seconds_per_token * run.draw(1.0, 0.25))
        self.seen = tokens_in
        self.context += tokens_out
        self.spent += cost
        return Usage(model, tokens_in, tokens_out, cached, round(cost, 8))

    def read(self, text: str) -> None:
        """Takes a tool result into the context."""
        self.context += 40 + len(text) / 4


def mind(run: Run, model: Model, base: float = 1400.0) -> Mind:
    """A fresh context of about `base` tokens (instructions, tools, request) for an agent of this run."""
    return Mind(run, model, base * run.size)
