"""The format of the `target:` of a file, checked by pydantic: a stack, a gateway in front of it, or a URL."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from loadprofiles.client.endpoint import UrlMistake, header_problem, is_key_header, parse_endpoint, reserved_header
from reports.shared.documents import Mistake, did_you_mean
from reports.shared.secrets import masked
from targets.adapters.catalogue import ADAPTERS, DEFAULT_PRESET

__all__ = ["EnvironmentValue", "GatewayFile", "ReplicasFile", "TargetFile"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _base_url(url: str) -> str:
    try:
        parse_endpoint(url, allow_remote=True)
    except UrlMistake as error:
        raise Mistake(error.what, error.remedy) from None
    return url.rstrip("/")


def _variable_name(name: Any) -> Any:
    # the message does not repeat the value: it may be the key itself
    if isinstance(name, str) and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        remedy = "export the key, and write the variable's name: key_env: OPENAI_API_KEY"
        raise Mistake("is not the name of an environment variable", remedy)
    return name


class EnvironmentValue(_Model):
    """A value that an environment variable holds."""

    env: Annotated[str, BeforeValidator(_variable_name)] = Field(description="name of the environment variable")


def _headers(headers: dict[str, str | EnvironmentValue]) -> dict[str, str | EnvironmentValue]:
    for name, value in headers.items():
        problem = reserved_header(name)
        if problem:
            raise Mistake(f'"{name}" {problem}', "remove it")
        if isinstance(value, EnvironmentValue):
            continue
        problem = header_problem(value)
        if problem:
            raise Mistake(f'the value of "{name}" {problem}', "write one line of text")
        if is_key_header(name) or masked(value) != value:
            remedy = f"export the value, and write {name}: {{env: NAME_OF_THE_VARIABLE}}"
            raise Mistake(f'the value of "{name}" is a secret, and this file is copied into every record', remedy)
    return headers


class ReplicasFile(_Model):
    """Simulated replicas behind your own gateway: its upstreams."""

    stack: str = Field(min_length=1, description="a shipped stack, or the path of a stack file: its replicas are used")
    first_port: int = Field(
        ge=1, le=65_535, description="port of the first replica; the others have the ports after it, in order"
    )


class GatewayFile(_Model):
    """A real gateway in front of the replicas of a stack."""

    preset: str | None = Field(
        default=None, min_length=1, description="its settings, as tuned; the default ones if absent"
    )
    allow_exposed: bool = Field(default=False, description="whether it may listen beyond this machine")


def _named_gateway(given: Any) -> Any:
    if isinstance(given, str):
        name, _, preset = given.partition(":")
        raise Mistake(
            "must name the gateway as a key", f"write gateway: {{{name}: {{preset: {preset or DEFAULT_PRESET}}}}}"
        )
    for name, settings in given.items() if isinstance(given, dict) else ():
        if settings is None or isinstance(settings, str):
            what = f'must give settings to "{name}"'
            raise Mistake(what, f"write gateway: {{{name}: {{preset: {settings or DEFAULT_PRESET}}}}}")
    return given


def _one_gateway(gateways: dict[str, GatewayFile]) -> dict[str, GatewayFile]:
    for name, gateway in gateways.items():
        if name not in ADAPTERS:
            raise Mistake(f'there is no gateway "{name}"', did_you_mean(name, ADAPTERS))
        presets = ADAPTERS[name].presets
        if gateway.preset is not None and gateway.preset not in presets:
            raise Mistake(f'{name} has no preset "{gateway.preset}"', did_you_mean(gateway.preset, presets))
    if len(gateways) != 1:
        raise Mistake(f"names {len(gateways)} gateways", "name one, as gateway: {nginx: {preset: tuned}}")
    return gateways


def _gateway_names() -> dict[str, Any]:
    properties = dict.fromkeys(ADAPTERS, GatewayFile.model_json_schema())
    return {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}


class TargetFile(_Model):
    """The target: a stack of brownout, or a URL of yours and the model to ask for."""

    stack: str | None = Field(default=None, min_length=1, description="a shipped stack, or the path of a stack file")
    url: Annotated[str, AfterValidator(_base_url)] | None = Field(
        default=None, description="URL of your own endpoint; /v1 is added unless it has a version"
    )
    model: str | None = Field(default=None, min_length=1, description="with url: the model to ask for")
    api: Literal["openai", "anthropic"] | None = Field(
        default=None, description="with url: its API; the profile's if absent"
    )
    key_env: Annotated[str, BeforeValidator(_variable_name)] | None = Field(
        default=None, description="with url: the environment variable that holds the key"
    )
    headers: Annotated[dict[str, str | EnvironmentValue], AfterValidator(_headers)] | None = Field(
        default=None, description="with url: extra headers of every request; a value may be {env: NAME}"
    )
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] | None = Field(
        default=None,
        description="with url: the field with the limit of output tokens; if absent, max_tokens until it is refused",
    )
    tools: bool | None = Field(default=None, description="with url: false for an endpoint that refuses tools")
    stream_options: bool | None = Field(
        default=None, description="with url: false for an endpoint that refuses stream_options"
    )
    gateway: (
        Annotated[
            dict[str, GatewayFile],
            BeforeValidator(_named_gateway),
            AfterValidator(_one_gateway),
            WithJsonSchema(_gateway_names()),
        ]
        | None
    ) = Field(
        default=None, description="with stack: a real gateway in front of its replicas, as {nginx: {preset: tuned}}"
    )
    replicas: ReplicasFile | None = Field(
        default=None, description="with url: simulated replicas that your gateway has as its upstreams"
    )
