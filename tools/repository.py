"""The book's public address: read it, and rewrite every use of it.

The address stands in `pyproject.toml`, under `[project.urls]`. Badges, launch buttons, bootstrap cells and the citation
repeat it; `make repository URL=https://github.com/OWNER/NAME` rewrites them all.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BRANCH = "main"
GITHUB = "https://github.com/"


@dataclass(frozen=True)
class Address:
    """Where the repository is published.

    Args:
        owner: The account on GitHub.
        name: The repository's name.
    """

    owner: str
    name: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read an address of the form `https://github.com/OWNER/NAME`.

        Raises:
            ValueError: The text has another form (Colab opens notebooks from GitHub only).
        """
        match = re.fullmatch(re.escape(GITHUB) + r"([A-Za-z0-9-]+)/([\w.-]+?)(\.git)?/?", url)
        if match is None:
            raise ValueError(f"`{url}` is no address of the form {GITHUB}OWNER/NAME")
        return cls(match[1], match[2])

    @property
    def url(self) -> str:
        """The repository's address."""
        return f"{GITHUB}{self.owner}/{self.name}"

    @property
    def pages(self) -> str:
        """The address of the built book on GitHub Pages."""
        return f"https://{self.owner.lower()}.github.io/{self.name}"

    def colab(self, path: str) -> str:
        """The address that opens a notebook in Colab, from its path in the repository."""
        return f"https://colab.research.google.com/github/{self.owner}/{self.name}/blob/{BRANCH}/{path}"


def address(root: Path = ROOT) -> Address:
    """The address that `pyproject.toml` holds."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return Address.parse(project["urls"]["Repository"])


def tracked_files(root: Path = ROOT) -> list[Path]:
    """Every file that git tracks or would track, and that exists, sorted."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return sorted({path for name in listing.split("\0") if name and (path := root / name).is_file()})


def read_text(path: Path) -> str | None:
    """A file's text with its line endings kept, or None where the file is not UTF-8 text."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None


def uses(text: str, of: Address) -> list[str]:
    """Every mention of an address in a text: the repository itself, its Colab links and its built pages."""
    return [match[0] for match in _pattern(of).finditer(text)]


def rewrite(text: str, old: Address, new: Address) -> str:
    """Replace every mention of one address in a text by another."""

    def replacement(match: re.Match[str]) -> str:
        if match["host"] is None:
            return f"{new.owner.lower()}.github.io/{new.name}"
        return f"{match['host']}{new.owner}/{new.name}"

    return _pattern(old).sub(replacement, text)


def _pattern(of: Address) -> re.Pattern[str]:
    owner, name = re.escape(of.owner), re.escape(of.name)
    return re.compile(
        rf"(?:(?P<host>github\.com/|colab\.research\.google\.com/github/){owner}/{name}"
        rf"|{re.escape(of.owner.lower())}\.github\.io/{name})(?![\w-])"
    )


def main() -> None:
    """Rewrite the address in every file of the repository."""
    try:
        old, new = address(), Address.parse(sys.argv[1] if len(sys.argv) > 1 else "")
    except ValueError as error:
        sys.exit(f"error: {error}; run: make repository URL={GITHUB}OWNER/NAME")
    changed = 0
    for path in tracked_files():
        text = read_text(path)
        if text is not None and (rewritten := rewrite(text, old, new)) != text:
            path.write_bytes(rewritten.encode("utf-8"))
            changed += 1
    print(f"{old.url} -> {new.url}: {changed} files rewritten")


if __name__ == "__main__":
    main()
