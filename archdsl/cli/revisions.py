"""Specs as they were: `net.arch@HEAD~1` names a file in a revision of its git repository."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from archdsl.text.failure import Failure
from archdsl.text.files import cannot_write

_NAMED = re.compile(r"(?P<path>.+?\.arch)(?::(?P<early>\w+))?@(?P<revision>.+?)(?::(?P<late>\w+))?", re.S)
_MOST_FILES, _LARGEST_FILE = 2_000, 4 * 2**20
_SECONDS = 30
# Nothing may ask, fetch or write: only what the repository holds is read.
_QUIET = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


@dataclass(frozen=True, slots=True)
class Revision:
    """A file in a revision, as a user names it."""

    path: Path
    revision: str
    model: str | None

    @property
    def current(self) -> str:
        """Name the same in the working tree."""
        return f"{self.path}:{self.model}" if self.model else str(self.path)


def parse_revision(spec: str) -> Revision | None:
    """Read `net.arch@REVISION` or `net.arch@REVISION:model`; None for what names no revision, or is a file."""
    match = _NAMED.fullmatch(spec)
    if match is None or Path(spec).is_file():
        return None
    return Revision(Path(match["path"]), match["revision"], match["early"] or match["late"])


def check_out(wanted: Revision, folder: Path) -> Path:
    """Write the specs of a revision, as far as they lie below the file's folder, into another folder; give the file.

    Errors: Failure without git, outside a repository, for a revision or file that there is not
    """
    home = wanted.path.parent
    commit = _commit(wanted, home)
    found = _files(commit, home)
    if wanted.path.name not in found:
        raise Failure(
            f"`{wanted.path}` is not in the revision `{wanted.revision}`",
            f"`git log --oneline -- {wanted.path}` lists the revisions that change it",
        )
    for name, text in zip(found, _read(list(found.values()), home), strict=True):
        target = folder.joinpath(*PurePosixPath(name).parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)  # whole or not: nobody knows the folder before all are there
        except OSError as error:
            raise cannot_write(target, error) from None
    return folder / wanted.path.name


def _commit(wanted: Revision, home: Path) -> str:
    """Return the full name of a revision. It is anyone's text, so it is never where git looks for options."""
    revision = wanted.revision
    if revision.startswith("-") or not revision.isprintable():
        raise Failure(f"`{revision}` is no revision", "name a commit, a branch or a tag, as in net.arch@HEAD~1")
    if not home.is_dir():
        raise Failure(f"there is no folder `{home}`")
    _git(home, ["rev-parse", "--git-dir"], f"`{home}` is in no git repository")
    arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    commit = _git(home, arguments, f"the repository has no revision `{revision}`").decode().strip()
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        raise Failure(f"the repository has no revision `{revision}`")
    return commit


def _files(commit: str, home: Path) -> Mapping[str, str]:
    """Map the specs below a folder to the names of their contents; links and what leaves the folder are left out."""
    listing = _git(home, ["ls-tree", "-r", "-l", "-z", commit], "the revision cannot be read")
    found: dict[str, str] = {}
    for line in listing.decode(errors="replace").split("\0"):
        about, tab, name = line.partition("\t")
        if not tab or not name.endswith(".arch"):
            continue
        mode, _, content, size = about.split()
        if mode.startswith("100") and ".." not in name.split("/") and int(size) <= _LARGEST_FILE:
            found[name] = content
    if len(found) > _MOST_FILES:
        raise Failure(f"the revision has {len(found):,} specs in `{home}`, more than {_MOST_FILES:,}")
    return found


def _read(contents: Sequence[str], home: Path) -> list[bytes]:
    """Read contents by name, as `git cat-file --batch` gives them: a header with the size, then the bytes."""
    stream = _git(
        home, ["cat-file", "--batch"], "the revision cannot be read", "".join(f"{c}\n" for c in contents).encode()
    )
    texts: list[bytes] = []
    at = 0
    for _ in contents:
        end = stream.index(b"\n", at)
        size = int(stream[at:end].split()[2])
        texts.append(stream[end + 1 : end + 1 + size])
        at = end + size + 2
    return texts


def _git(home: Path, arguments: Sequence[str], message: str, given: bytes = b"") -> bytes:
    command = ["git", "--no-pager", "--literal-pathspecs", "-c", "core.fsmonitor=false", "-C", str(home), *arguments]
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, timeout=_SECONDS, env={**os.environ, **_QUIET}, check=False
        )
    except FileNotFoundError:
        raise Failure(
            "git is not installed, and `@` names a revision", "install git, or give the file of that time by path"
        ) from None
    except subprocess.TimeoutExpired:
        raise Failure(f"git takes more than {_SECONDS} seconds") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Failure(message, f"git says: {said[0]}" if said else "")
    return done.stdout
