"""The users of a feature store's Redis: jobs write, feature servers read. Pure functions.

https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/ describes the rules.
"""

from dataclasses import dataclass

from components.settings.pod import KeyReference
from components.settings.redis import DEFAULT_USER, Redis

# The users of a stage's own Redis.
WRITER, READER = "writer", "reader"
# redis-cli, which the probes run, reads this variable.
READER_PASSWORD = "REDISCLI_AUTH"
WRITER_PASSWORD = "REDIS_WRITER_PASSWORD"
_VARIABLES = {WRITER: WRITER_PASSWORD, READER: READER_PASSWORD}
# Without scripts, and without commands for all keys or for the server. They come last, since later rules win.
_NOT_DANGEROUS = "-@dangerous -@admin"
_FIGURES = "+info +latency|latest +latency|histogram"


@dataclass(frozen=True, kw_only=True)
class Login:
    """How a pod logs in to Redis.

    Attributes:
        user: The user; None where the address names no user.
        password: The key with the password; None for no password.
    """

    user: str | None
    password: KeyReference | None


def login(redis: Redis, *, reads: bool) -> Login:
    """The login of a pod that only reads, or of one that writes too."""
    password = (redis.read_password_secret if reads else None) or redis.password_secret
    if redis.install:
        return Login(user=READER if reads else WRITER, password=password)
    if not names_users(redis):
        return Login(user=None, password=password)
    return Login(user=(redis.read_user if reads else None) or redis.user or DEFAULT_USER, password=password)


def names_users(redis: Redis) -> bool:
    """True where the pods log in as users with a name."""
    return redis.install or redis.user is not None or redis.read_user is not None


def user_rules(project: str) -> dict[str, str]:
    """What each user of the stage's own Redis may do, by the user's name.

    The name of Feast's project ends every key. The exporter, which logs in as the reader, asks for Redis' own figures.
    """
    return {
        WRITER: f"~*{project} +@read +@write +@connection {_NOT_DANGEROUS}",
        READER: f"%R~*{project} +@read +@connection {_NOT_DANGEROUS} {_FIGURES}",
    }


def redis_start(config: str, project: str) -> str:
    """The shell script that starts the stage's own Redis.

    Redis gets its users by standard input, with the checksums of their passwords: no process list shows a password.

    Args:
        config: The path of redis.conf.
        project: The name of Feast's project.
    """
    users = "".join(
        f'user {name} on #$(checksum "${_VARIABLES[name]}") {rules}\n'
        for name, rules in user_rules(project).items()
    )
    return f"""\
set -eu
: "${{{WRITER_PASSWORD}:?the password of passwordSecret is empty}}"
: "${{{READER_PASSWORD}:?the password of readPasswordSecret is empty}}"
if [ "${WRITER_PASSWORD}" = "${READER_PASSWORD}" ]; then
  echo "passwordSecret and readPasswordSecret have the same password, so who reads could write" >&2
  exit 1
fi
checksum() {{ printf %s "$1" | sha256sum | cut -d " " -f 1; }}
exec redis-server - <<CONFIGURATION
include {config}
user {DEFAULT_USER} reset
{users}CONFIGURATION
"""
