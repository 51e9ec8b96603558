"""What the environment says: which model this is, where its file lies, where to listen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

DEFAULT_MODEL_PATH = Path(__file__).resolve().parent.parent / "model.skops"


class SettingsError(Exception):
    """The environment is incomplete or wrong; the message is one line."""


class Settings(BaseModel):
    """The server's settings. Each field is the environment variable of the same name in capitals."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model_name: str
    model_version: str
    model_path: Path = DEFAULT_MODEL_PATH
    host: str = "0.0.0.0"
    port: int = Field(default=8080, ge=1, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads the settings; an empty variable counts as one that is not set.

        Raises:
            SettingsError: something is missing or wrong. Every problem is named.
        """
        names = {field: field.upper() for field in cls.model_fields}
        values = {field: environment[name] for field, name in names.items() if environment.get(name)}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = [
                f"{names[str(problem['loc'][0])]} "
                + ("is not set" if problem["type"] == "missing" else f"is wrong: {problem['msg']}")
                for problem in error.errors()
            ]
            raise SettingsError("; ".join(problems)) from None
