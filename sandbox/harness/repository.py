"""A project of the integration tests as a git repository, for the commands of delivery."""

import shutil

from sandbox.harness.clone import CHECKOUT, Clone

IGNORED = ".venv\n.venv-feast\n.sandbox/\n__pycache__/\n/build/\n"
# Nothing listens there, so no test asks a registry on the internet.
NO_REGISTRY = "127.0.0.1:1"


def git(project: Clone, *arguments: str) -> str:
    """Run git without a user's configuration."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    return project.run("git", *who, *arguments).stdout.strip()


def commit(project: Clone, message: str) -> str:
    """Commit everything; the commit's revision."""
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", message)
    return git(project, "rev-parse", "HEAD")


def initialise(project: Clone) -> None:
    """Make the project a repository whose branch `main` has one commit."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        # With its time: make must not consider the environment outdated.
        shutil.copy2(CHECKOUT / name, project.path / name)
    (project.path / ".gitignore").write_text(IGNORED)
    for path in (project.path / "models").glob("*.yaml"):
        path.write_text(path.read_text().replace("image: ", f"image: {NO_REGISTRY}/"))
    git(project, "init", "--quiet", "--initial-branch=main")
    commit(project, "First")


def replace(project: Clone, old: str, new: str, file: str = "Pulumi.test.yaml") -> None:
    """Change a text in a file that has it."""
    path = project.path / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def review(project: Clone, span: str, *flags: str, **environment: str) -> tuple[int, str]:
    """The exit code of a review, and the page it wrote."""
    page = project.path / "build" / "page.md"
    page.unlink(missing_ok=True)
    done = project.python(
        *("delivery", "review", span, "--stage", "test", "--output", str(page), *flags),
        check=False,
        **environment,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert page.is_file(), done.stdout + done.stderr
    return done.returncode, page.read_text()
