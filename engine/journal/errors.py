"""What can go wrong with a journal, and the one sentence that says it: what, where, what is
allowed.
"""

from collections.abc import Mapping

from engine.model.secrets import masked


class JournalError(Exception):
    """The journal can't do what was asked. Its text is one sentence for the operator."""


class JournalUnavailableError(JournalError):
    """The place can't be opened, read or written at the moment: permissions, a full or failing
    disk, a server that is away.
    """


class NotAJournalError(JournalError):
    """What is there is not a journal of this program."""


class JournalLockedError(JournalError):
    """Another program holds the database."""


class JournalVersionError(JournalError):
    """The schema is of a revision that this program can't use."""


class WrongAccountError(JournalError):
    """The journal belongs to another account."""


class JournalDamagedError(JournalError):
    """What is stored is not what was written."""


class LeaseLostError(JournalError):
    """Another program took over the account: nothing more is written by this one."""

    def __init__(self, text: str, winner: str = "") -> None:
        super().__init__(text)
        self.winner = winner
        """Who has it now, where that is known."""


class DriverMissingError(JournalError):
    """The database's driver is not installed."""


Told = tuple[type[JournalError], str]

SQLITE: Mapping[str, Told] = {
    "SQLITE_FULL": (JournalUnavailableError, "the disk is full; free some space"),
    "SQLITE_READONLY": (
        JournalUnavailableError,
        "it is read-only; the file and its directory must be writable",
    ),
    "SQLITE_CANTOPEN": (
        JournalUnavailableError,
        "it can't be opened; its directory must exist and the file be readable and writable",
    ),
    "SQLITE_PERM": (
        JournalUnavailableError,
        "access is denied; the file must be readable and writable",
    ),
    "SQLITE_AUTH": (
        JournalUnavailableError,
        "access is denied; the file must be readable and writable",
    ),
    "SQLITE_IOERR": (JournalUnavailableError, "the disk failed while reading or writing"),
    "SQLITE_NOTADB": (NotAJournalError, "the file is not a database; name a journal or a new file"),
    "SQLITE_CORRUPT": (JournalDamagedError, "the file is damaged; run `flatout journal verify`"),
    "SQLITE_BUSY": (JournalLockedError, "another program holds it locked; close that program"),
    "SQLITE_LOCKED": (JournalLockedError, "another program holds it locked; close that program"),
}
"""By SQLite's result code; the longest matching beginning wins, so extended codes fall back to
their family.
"""

POSTGRES: Mapping[str, Told] = {
    "08": (JournalUnavailableError, "the connection to the server failed"),
    "25006": (JournalUnavailableError, "the server is read-only; it must accept writes"),
    "28": (JournalUnavailableError, "the server refused the user or the password"),
    "3D": (JournalUnavailableError, "there is no such database on the server; create it first"),
    "3F": (JournalUnavailableError, "there is no such schema in the database; create it first"),
    "40": (JournalLockedError, "another program works on the same rows"),
    "42501": (JournalUnavailableError, "the user lacks a right; it must own its tables"),
    "53100": (JournalUnavailableError, "the server's disk is full; free some space"),
    "53": (JournalUnavailableError, "the server is out of resources"),
    "55P03": (JournalLockedError, "another program holds it locked; close that program"),
    "57": (JournalUnavailableError, "the server stopped the work or is shutting down"),
    "58": (JournalUnavailableError, "the server's disk failed"),
    "XX": (JournalDamagedError, "the server found damaged data"),
}
"""By SQLSTATE (PostgreSQL 15 manual, appendix A); the longest matching beginning wins."""


def explain(error: Exception, where: str) -> JournalError:
    """A driver's error about the database at `where` as a sentence of ours, with the driver's own
    words at the end.
    """
    if isinstance(error, JournalError):
        return error
    cause = getattr(error, "orig", None) or error
    words = masked(" ".join(str(cause).split())) or type(cause).__name__
    name = getattr(cause, "sqlite_errorname", None)
    state = getattr(cause, "sqlstate", None)
    if isinstance(name, str):
        kind, sentence = _longest(SQLITE, name)
    elif isinstance(state, str):
        kind, sentence = _longest(POSTGRES, state)
    elif isinstance(cause, OSError):
        kind, sentence = (
            JournalUnavailableError,
            "it can't be opened; it must be readable and writable",
        )
        words = cause.strerror or words
    elif type(cause).__module__.startswith("psycopg"):
        kind, sentence = JournalUnavailableError, "the server can't be reached"
    else:
        kind, sentence = JournalError, "the database refused"
    return kind(f"journal {where}: {sentence} ({words})")


def _longest(table: Mapping[str, Told], code: str) -> Told:
    found = max((known for known in table if code.startswith(known)), key=len, default=None)
    return table[found] if found else (JournalError, f"the database refused with {code}")
