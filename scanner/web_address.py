"""Where a repository is seen on the web: made of the address that git fetches it from, without what is secret in it."""

from __future__ import annotations

import re

from assay.scanner.git import Git

__all__ = ["web_address", "web_of"]

_URL = re.compile(r"(?P<scheme>https?|ssh|git)://(?:[^/@]*@)?(?P<host>[A-Za-z0-9.-]+)(?P<port>:\d+)?/(?P<path>[^?#]+)")
_SCP = re.compile(r"(?:[^/@:]+@)?(?P<host>[A-Za-z0-9.-]+):(?!/)(?P<path>[^?#:]+)")
"""`git@github.com:owner/name.git`; git-clone(1), "GIT URLS"."""
_PATH = re.compile(r"[A-Za-z0-9_~+-][A-Za-z0-9_.~+-]*(?:/[A-Za-z0-9_~+-][A-Za-z0-9_.~+-]*)+")


def web_of(git: Git) -> str:
    """The web address of the repository that the folder's `origin` is, or else its only remote; empty without any.

    Raises GitError.
    """
    told = git.run("config", "--null", "--get-regexp", r"^remote\..*\.url$").stdout.decode(errors="replace")
    remotes = dict(entry.partition("\n")[::2] for entry in told.split("\0") if entry)
    own = remotes.get("remote.origin.url") or (next(iter(remotes.values())) if len(remotes) == 1 else "")
    return web_address(own)


def web_address(remote: str) -> str:
    """`https://github.com/acme/shop` for any way to write that remote; empty for what is on no host, such as a folder.

    User names, passwords and tokens are left out.
    """
    url = _URL.fullmatch(remote)
    found = url or _SCP.fullmatch(remote)
    if found is None:
        return ""
    path = found["path"].strip("/").removesuffix(".git")
    if "." not in found["host"].strip(".") or not _PATH.fullmatch(path):
        return ""
    is_web = url is not None and url["scheme"] in ("http", "https")
    scheme = url["scheme"] if url is not None and is_web else "https"
    port = (url["port"] or "") if url is not None and is_web else ""
    return f"{scheme}://{found['host'].lower()}{port}/{path}"
