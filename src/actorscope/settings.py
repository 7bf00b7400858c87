"""What a user can set, in one typed object; the only reader of the environment.

Order of precedence: defaults < `actorscope.toml` < `ACTORSCOPE_*` environment < command line flags.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from actorscope.check import problems_of
from actorscope.errors import DefinitionError, Problem

_SECTION = ConfigDict(extra="forbid", frozen=True)


class TlsSettings(BaseModel):
    """Encryption of both doors; off while `cert_file` is not set."""

    model_config = _SECTION
    cert_file: Path | None = Field(None, description="Certificate chain in PEM; TLS is on when it is set.")
    key_file: Path | None = Field(None, description="Private key of the certificate in PEM.")
    client_ca_file: Path | None = Field(
        None, description="CA in PEM; when set, senders must show a certificate signed by it (mutual TLS)."
    )


class SenderSettings(BaseModel):
    """One sender that may send telemetry; as soon as one is named, nobody may without a token."""

    model_config = _SECTION
    name: str = Field(min_length=1, max_length=100, description="Name of the sender, shown in health and metrics.")
    token_sha256: str = Field(
        pattern="^[0-9a-f]{64}$", description="SHA-256 of the bearer token in hex; `actorscope token NAME` makes both."
    )
    tenant: str = Field("", max_length=100, description="Label kept with all that this sender sends.")
    service: str = Field("", max_length=100, description="Service name of telemetry that states none.")
    max_requests_per_second: float = Field(0, ge=0, description="Requests above this rate wait; 0 sets no limit.")
    max_mib_per_second: float = Field(0, ge=0, description="Decompressed bytes above this rate wait; 0 sets no limit.")
    max_request_mib: float = Field(0, ge=0, description="Largest request of this sender; 0 leaves the general limit.")


class LimitSettings(BaseModel):
    """What is cut from telemetry before it is written; each cut is counted and told to the sender."""

    model_config = _SECTION
    max_attributes: int = Field(
        1024, ge=8, description="Attributes kept of one span, event, link, log record, scope or resource."
    )
    max_value_kib: int = Field(8192, ge=1, description="Longest text of one attribute value or log body, in KiB.")


class PrivacySettings(BaseModel):
    """What of telemetry may be written at all; applied before anything reaches a disk."""

    model_config = _SECTION
    capture_content: bool = Field(
        True,
        description="Keep prompts, answers, arguments and results; when false their texts become HMAC fingerprints.",
    )
    redact_keys: list[str] = Field(
        default_factory=list, description="Attribute keys (`*` stands for anything) whose values are replaced."
    )
    redact_patterns: list[str] = Field(
        default_factory=list, description="Regular expressions (RE2 syntax); what they match in any text is replaced."
    )
    redact_presets: list[Literal["secrets", "emails", "cards"]] = Field(
        default_factory=list, description="Patterns that come with Actorscope."
    )
    fingerprint_key_file: Path | None = Field(
        None, description="Key of fingerprints; one is made in the data folder when not set. Ingesters and analysis share it by file."
    )


class IngestSettings(BaseModel):
    """The front door and the log behind it."""

    model_config = _SECTION
    grpc_port: int = Field(4317, ge=0, le=65535, description="Port of OTLP/gRPC; 0 picks a free one.")
    http_port: int = Field(4318, ge=0, le=65535, description="Port of OTLP/HTTP; 0 picks a free one.")
    max_request_mib: int = Field(64, ge=1, description="Largest request body, after decompression, in MiB.")
    decoder: Literal["auto", "native", "python"] = Field(
        "auto", description="What decodes requests: the native module where it is built, or Python."
    )
    cors_origins: list[str] = Field(
        default_factory=list, description="Origins whose pages may send from a browser, such as https://app.example; `*` for all."
    )
    max_in_flight_mib: int = Field(
        256, ge=1, description="Requests being answered may hold so much memory; others are told to come again."
    )
    spool_budget_mib: int = Field(4096, ge=16, description="Bytes the log may hold before senders are told to wait.")
    dialects: list[Path] = Field(
        default_factory=list, description="Files or folders with dialects of your own, read beside those shipped."
    )
    segment_mib: float = Field(24.0, gt=0, description="Size at which a log segment is closed and stored, in MiB.")
    segment_busy_seconds: float = Field(0.25, gt=0, description="Age at which a segment is closed under load.")
    segment_idle_seconds: float = Field(1.0, gt=0, description="Age at which a segment is closed when traffic is thin.")
    tls: TlsSettings = TlsSettings()  # type: ignore[call-arg]
    senders: list[SenderSettings] = Field(default_factory=list, description="Who may send, each `[[ingest.senders]]`.")
    limits: LimitSettings = LimitSettings()  # type: ignore[call-arg]
    privacy: PrivacySettings = PrivacySettings()  # type: ignore[call-arg]


class BudgetSettings(BaseModel):
    """What somebody or something may spend, with all that is delegated."""

    model_config = _SECTION
    node: Literal["run", "task", "actor", "delegator", "tenant"] = Field(
        description="Of whom: each run, kind of task, actor, whoever started the work (person, schedule or agent), or tenant."
    )
    name: str = Field("*", min_length=1, description="Whose, by id or name, `*` for any text; each that fits has a budget of its own.")
    period: Literal["", "hour", "day", "week", "month"] = Field(
        "", description="Calendar period in UTC, weeks from Monday; empty means each run."
    )
    usd: float = Field(gt=0, allow_inf_nan=False, description="The budget in US dollars.")


class AnalysisSettings(BaseModel):
    """How detectors run."""

    model_config = _SECTION
    interval_seconds: float = Field(1.0, gt=0, description="Pause between two looks for new data.")
    batch_spans: int = Field(100_000, ge=1000, description="Most new spans taken in one pass.")
    budgets: list[BudgetSettings] = Field(
        default_factory=list, description="What may be spent, each `[[analysis.budgets]]`; told at 50, 80 and 100 %."
    )
    detectors: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Thresholds per detector id; see docs/detectors.md."
    )


Severity = Literal["info", "low", "medium", "high", "critical"]
Transition = Literal["opened", "reopened", "escalated", "grown", "still_open", "acknowledged", "resolved", "no_data"]


class WebhookSettings(BaseModel):
    """A target of the kind `generic`, in the older way of writing it."""

    model_config = _SECTION
    name: str = Field("default", description="Name of the subscriber, used in the delivery log.")
    url: str = Field(description="Where to send; https, or http on loopback only.")
    secret: SecretStr = Field(SecretStr(""), description="Standard Webhooks secret, `whsec_` and base64.")
    secret_file: Path | None = Field(None, description="File that holds the secret instead.")
    min_severity: Severity = Field("medium", description="Findings below this are not sent.")
    timeout_seconds: float = Field(10.0, gt=0, description="Most time one attempt may take.")


class TargetSettings(BaseModel):
    """Somebody who is told of findings, in the form that suits the receiver; see docs/alerts.md."""

    model_config = _SECTION
    name: str = Field("default", min_length=1, max_length=100, description="Name of the target, used in the delivery log.")
    kind: Literal["generic", "slack", "pagerduty", "alertmanager", "alertmanager_webhook", "teams", "apprise"] = Field(
        "generic", description="What listens there."
    )
    url: SecretStr = Field(SecretStr(""), description="Where to send; https, or http on loopback only. For `apprise` its URL.")
    url_file: Path | None = Field(None, description="File that holds the URL instead: that of Slack or Teams is a secret.")
    secret: SecretStr = Field(
        SecretStr(""),
        description="`generic`: Standard Webhooks secret, two with a space between during a rotation; `pagerduty`: routing key; "
        "`alertmanager`, `alertmanager_webhook`: bearer token, if one is asked for.",
    )
    secret_file: Path | None = Field(None, description="File that holds the secret instead; read anew at every attempt.")
    min_severity: Severity = Field("medium", description="Findings below this are not sent.")
    transitions: list[Transition] = Field(
        default_factory=list, description="What is told of; all when empty (`acknowledged` only to `pagerduty`)."
    )
    evidence: bool = Field(
        False, description="Also send why: evidence, baseline, counterfactual, after `ingest.privacy` and all redaction presets."
    )
    timeout_seconds: float = Field(10.0, gt=0, description="Most time one attempt may take.")

    def address(self) -> str:
        """The URL as it is now, from the file when one is named. Raises OSError."""
        return self.url_file.read_text().strip() if self.url_file else self.url.get_secret_value()

    def key(self) -> str:
        """The secret as it is now, from the file when one is named. Raises OSError."""
        return self.secret_file.read_text().strip() if self.secret_file else self.secret.get_secret_value()


class RouteSettings(BaseModel):
    """Which targets hear of which findings: the first route that matches counts; lists that are empty match everything."""

    model_config = _SECTION
    families: list[str] = Field(default_factory=list, description="Families of findings.")
    detectors: list[str] = Field(default_factory=list, description="Ids of detectors; `*` stands for anything.")
    min_severity: Severity = Field("info", description="Least severity.")
    tenants: list[str] = Field(default_factory=list, description="Tenants; `*` stands for anything.")
    labels: dict[str, str] = Field(
        default_factory=dict, description="Labels that must match, such as `service`, `environment`, `subject`; `*` stands for anything."
    )
    targets: list[str] = Field(description="Names of the targets that are told.")
    continues: bool = Field(False, description="Also look at the routes below.")


class AlertSettings(BaseModel):
    """Who is told, and how soon."""

    model_config = _SECTION
    urgent: Severity = Field("high", description="Severity from which a new or graver finding is told without any wait.")
    group_wait_seconds: float = Field(2.0, ge=0, description="How long a new group waits for findings of the same root.")
    group_interval_seconds: float = Field(300.0, ge=0, description="Pause before a told group tells that it has grown.")
    repeat_interval_seconds: float = Field(14400.0, ge=0, description="Pause before what is still open is told again; 0: never.")
    resolve_wait_seconds: float = Field(
        60.0, ge=0, description="How long a finding must stay resolved before that is told; doubled for every reopening of the last day."
    )
    apprise_schemes: list[str] = Field(
        ["mailto", "mailtos", "ntfy", "ntfys", "gotify", "gotifys", "matrix", "matrixs", "opsgenie", "pover", "tgram"],
        description="URL schemes that targets of the kind `apprise` may use.",
    )
    webhooks: list[WebhookSettings] = Field(
        default_factory=list, description="Targets of the kind `generic`, each `[[alerts.webhooks]]`."
    )
    targets: list[TargetSettings] = Field(default_factory=list, description="Targets, each `[[alerts.targets]]`.")
    routes: list[RouteSettings] = Field(
        default_factory=list, description="Routes, each `[[alerts.routes]]`; a target that no route names hears of everything."
    )

    @property
    def everybody(self) -> list[TargetSettings]:
        """All targets; webhooks are of the kind `generic`."""
        return [*(TargetSettings(**{**dict(hook), "url": SecretStr(hook.url)}) for hook in self.webhooks), *self.targets]


class LoginSettings(BaseModel):
    """Login to the explorer with an OpenID Connect provider; off without `metadata_url`."""

    model_config = _SECTION
    metadata_url: str = Field("", description="Discovery document, `https://.../.well-known/openid-configuration`.")
    client_id: str = Field("", description="This explorer's id at the provider.")
    client_secret: SecretStr = Field(SecretStr(""), description="Its secret.")
    client_secret_file: Path | None = Field(None, description="File that holds the secret instead.")
    viewers: list[str] = Field(
        default_factory=list, description="Mail addresses, or `@domain`, that may look; empty: whoever can log in."
    )
    responders: list[str] = Field(default_factory=list, description="Those who may act on findings and deliveries.")
    admins: list[str] = Field(default_factory=list, description="Those who may silence and test alerts as well.")

    def secret(self) -> str:
        """The client secret, from the file when one is named."""
        if self.client_secret_file is not None:
            return self.client_secret_file.read_text().strip()
        return self.client_secret.get_secret_value()


class ApiTokenSettings(BaseModel):
    """A program that may use the API; as soon as one is named, or people log in, no other may."""

    model_config = _SECTION
    name: str = Field(min_length=1, max_length=100, description="Name of the program.")
    token_sha256: str = Field(
        pattern="^[0-9a-f]{64}$", description="SHA-256 of the bearer token in hex; `actorscope token NAME --api ROLE` makes both."
    )
    role: Literal["viewer", "responder", "admin"] = Field("viewer", description="What it may do.")


class UiSettings(BaseModel):
    """The explorer and the API."""

    model_config = _SECTION
    login: LoginSettings = LoginSettings()  # type: ignore[call-arg]
    tokens: list[ApiTokenSettings] = Field(default_factory=list, description="Who may use the API, each `[[ui.tokens]]`.")
    port: int = Field(8501, ge=0, le=65535, description="Port of the explorer and the API; 0 picks a free one.")
    public_url: str = Field("", description="Address people use, for permalinks in alerts; empty means this host.")


class TelemetrySettings(BaseModel):
    """Where Actorscope's own measurements go, beside `/metrics`; see docs/telemetry.md."""

    model_config = _SECTION
    otlp_endpoint: str = Field(
        "",
        pattern="^(https?://[^/]+.*)?$",
        description="OTLP/HTTP receiver, such as http://127.0.0.1:14318; `/v1/metrics` is added. Empty sends nothing.",
    )
    interval_seconds: float = Field(60.0, ge=1, description="Pause between two exports.")


class Settings(BaseSettings):
    """All settings of one Actorscope process."""

    model_config = SettingsConfigDict(
        env_prefix="ACTORSCOPE_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        toml_file=None,
    )
    data: Path = Field(Path(".actorscope"), description="Folder of the embedded store and the log.")
    store: str = Field(
        "", description="Store URL: chdb:///path (default: inside data) or http(s)://user:pass@host:8123/db."
    )
    host: str = Field("127.0.0.1", description="Address to listen on; widen only behind TLS and tokens.")
    api_token: SecretStr = Field(
        SecretStr(""), description="Bearer token that commands show to the API of a running server that asks for one."
    )
    ingest: IngestSettings = IngestSettings()  # type: ignore[call-arg]
    analysis: AnalysisSettings = AnalysisSettings()  # type: ignore[call-arg]
    alerts: AlertSettings = AlertSettings()  # type: ignore[call-arg]
    ui: UiSettings = UiSettings()  # type: ignore[call-arg]
    telemetry: TelemetrySettings = TelemetrySettings()  # type: ignore[call-arg]

    @property
    def store_url(self) -> str:
        """The store to open: the one named, else the embedded one inside `data`."""
        return self.store or f"chdb://{self.data.resolve() / 'store'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        path = Path(os.environ.get("ACTORSCOPE_CONFIG", "actorscope.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, path)


def load(**flags: Any) -> Settings:
    """Settings from every source; `flags` given as None are ignored, nested ones as dicts.

    Raises DefinitionError with one problem per wrong value, so that a start shows all of them at once.
    """
    given = {key: value for key, value in flags.items() if value not in (None, {})}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise DefinitionError(
            [
                Problem("setting " + ".".join(map(str, e["loc"])), e["msg"], "see docs/settings.md")
                for e in error.errors()
            ]
        ) from error
    except OSError as error:
        raise DefinitionError([Problem("actorscope.toml", str(error))]) from error
    except ValueError as error:  # TOML syntax
        raise DefinitionError([Problem("actorscope.toml", str(error))]) from error
    if problems := problems_of(settings):
        raise DefinitionError(problems)
    return settings
