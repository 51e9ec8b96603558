"""A whole project with one to three things wrong."""

import shutil
from pathlib import Path
from random import Random

from tests.support.bad_projects.files import FILES
from tests.support.bad_projects.texts import TEXTS
from tests.support.projects import CHECKOUT
from tests.support.rich_stages import RICH_STAGES

STAGE = "test"
# Small ones more often: rendering one of the others takes as long as ten of these.
_STAGES = (
    *("bare", "bare", "none", "none", "none", "features-none"),
    *("configmap", "own-monitoring-bare", "features-configmap"),
)
_MOST = 3


def write_bad_project(seed: int, folder: Path) -> list[str]:
    """Write the project of a seed into a folder, which is created, and return what is wrong with it."""
    rng = Random(seed)
    stage = rng.choice(_STAGES)
    RICH_STAGES[stage].write(folder)
    for name in ("__main__.py", "Pulumi.yaml"):
        shutil.copy(CHECKOUT / name, folder / name)
    if rng.random() < 0.3:
        (folder / "gitops").mkdir()
        shutil.copy(CHECKOUT / "gitops" / "settings.yaml", folder / "gitops" / "settings.yaml")
        (folder / "features").mkdir(exist_ok=True)
        (folder / "features" / "requirements.txt").write_text("feast==0.67.0\n")
    done = [stage]
    for _ in range(rng.randint(1, _MOST)):
        done.append(_worsened(rng, folder))
    return done


def _worsened(rng: Random, folder: Path) -> str:
    found = [path for path in sorted(folder.rglob("*.yaml")) if path.is_file() and not path.is_symlink()]
    if not found or rng.random() < 0.4:
        wrong = rng.choice(FILES)
        try:
            wrong(rng, folder)
        except OSError as error:
            # What was wrong before may not allow it.
            return f"{wrong.__name__} ({error.strerror})"
        return wrong.__name__
    path, change = rng.choice(found), rng.choice(TEXTS)
    try:
        lines = path.read_bytes().decode("utf-8", "surrogateescape").split("\n")
    except OSError as error:
        return f"{change.__name__} ({error.strerror})"
    text = "\n".join(change(rng, lines))
    path.write_bytes(text.encode("utf-8", "surrogateescape" if "\ud800" not in text else "replace"))
    return f"{change.__name__} in {path.relative_to(folder)}"
