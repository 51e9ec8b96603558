"""The settings from the environment: which model this is, where its file and its features are, where to listen."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, ValidationError

DEFAULT_MODEL_PATH = Path(__file__).resolve().parent.parent / "model.skops"


class SettingsError(Exception):
    """The environment is incomplete or wrong; the message is one line."""


@dataclass(frozen=True)
class FeatureSettings:
    """Where to read features, which ones, and how long to wait for an answer."""

    url: AnyHttpUrl
    service: str
    timeout_seconds: float


class Settings(BaseModel):
    """The server's settings. Each field is the environment variable of the same name in capitals."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model_name: str
    model_version: str
    model_path: Path = DEFAULT_MODEL_PATH
    host: str = "0.0.0.0"
    port: int = Field(default=8080, ge=1, le=65535)
    feature_store_url: AnyHttpUrl | None = None
    feature_service: str | None = None
    feature_timeout_seconds: Annotated[float, Field(gt=0, le=10)] = 0.2
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads the settings; an empty variable counts as one that is not set.

        Raises:
            SettingsError: something is missing or wrong. Every problem is named.
        """
        names = {field: field.upper() for field in cls.model_fields}
        values = {field: environment[name] for field, name in names.items() if environment.get(name)}
        problems = []
        pair = (names["feature_store_url"], names["feature_service"])
        for name, other in (pair, reversed(pair)):
            if environment.get(other) and not environment.get(name):
                problems.append(f"{name} is not set, but {other} is")
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            problems += [
                f"{names[str(problem['loc'][0])]} "
                + ("is not set" if problem["type"] == "missing" else f"is wrong: {problem['msg']}")
                for problem in error.errors()
            ]
        if problems:
            raise SettingsError("; ".join(problems))
        return settings

    @property
    def features(self) -> FeatureSettings | None:
        """None when the server reads no features."""
        if self.feature_store_url is None or self.feature_service is None:
            return None
        return FeatureSettings(self.feature_store_url, self.feature_service, self.feature_timeout_seconds)
