"""The names that stood here before `components.errors` did."""

from components.errors import Problem, SettingsError

__all__ = ["Problem", "SettingsError"]
