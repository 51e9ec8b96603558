"""Runs `python -m delivery`."""

from delivery.cli import app

if __name__ == "__main__":
    app()
