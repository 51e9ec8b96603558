"""Writes generated files into a folder of a checkout, and never through a link to what is elsewhere."""

import os
from pathlib import Path

from components.errors import UserError
from components.files.reading import checkout_of, leads_out


def write_file(folder: Path, path: str, text: str) -> Path:
    """Write a text to a file in a folder, and return the file's path.

    Args:
        folder: The folder.
        path: The file inside it; its folder exists.
        text: The file's content.

    Raises:
        UserError: the path leads out of the folder, or to what is not a file; nothing was written.
    """
    file, real, root = folder / path, Path(os.path.realpath(folder / path)), Path(os.path.realpath(folder))
    linked = folder.is_symlink() and leads_out(root, checkout_of(folder.parent))
    if linked or not real.is_relative_to(root):
        raise UserError(
            f"{folder if linked else file} is a symbolic link to what is elsewhere, and nothing is written through it",
            "remove the link",
        )
    if real.exists() and not real.is_file():
        raise UserError(f"{file} is not a file, and nothing was written to it", "remove it")
    file.write_text(text, encoding="utf-8")
    return file
