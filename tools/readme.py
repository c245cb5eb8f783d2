"""Write the README's generated parts: its picture, the scoreboard's headline and the Colab links."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter

import nbformat
import yaml

from hqnn import claims
from hqnn.claims import Verdict
from tools.repository import ROOT, address

README = ROOT / "README.md"
PICTURE = ROOT / "book" / "_static" / "leads.png"
PICTURED = ROOT / "book" / "together.ipynb"


def picture() -> tuple[bytes, str]:
    """The first figure of the page on all three papers, as PNG and as the Markdown that shows it."""
    cells = nbformat.read(PICTURED, as_version=4).cells
    data = next(o.data for c in cells for o in c.get("outputs", ()) if "image/png" in o.get("data", ()))
    return base64.b64decode(data["image/png"]), f"![{data['text/plain']}]({PICTURE.relative_to(ROOT).as_posix()})"


def headline() -> str:
    """The number of claims per paper and stored verdict, as a Markdown table; a test compares these with fresh ones."""
    counts: dict[str, Counter[str]] = {}
    for row in json.loads(claims.SNAPSHOT.read_bytes()):
        counts.setdefault(row["paper"], Counter())[row["verdict"]] += 1
    rows = [["paper", *Verdict], ["---", *["---:" for _ in Verdict]]]
    rows += [[paper, *(str(counter[verdict]) for verdict in Verdict)] for paper, counter in counts.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def links() -> str:
    """One Colab link per notebook, under the notebook's own title, part by part in the book's order."""
    lines = []
    for part in yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]:
        pages = [ROOT / f"{chapter['file']}.ipynb" for chapter in part["chapters"]]
        titled = [
            f"[{nbformat.read(page, as_version=4).cells[0].source.splitlines()[0].removeprefix('# ')}]"
            f"({address().colab(page.relative_to(ROOT).as_posix())})"
            for page in pages
            if page.exists()
        ]
        if titled:
            lines.append(f"- **{part['caption']}**: {' · '.join(titled)}")
    return "\n".join(lines)


def generated(text: str) -> str:
    """A README with its generated parts written afresh.

    Args:
        text: The README; each part stands between a comment that opens with its name and one that closes it.

    Raises:
        ValueError: A part's comments are missing.
    """
    for name, content in (("picture", picture()[1]), ("scoreboard", headline()), ("notebooks", links())):
        part = re.compile(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not part.search(text):
            raise ValueError(f"the README has no part between `<!-- {name}: … -->` and `<!-- /{name} -->`")
        text = part.sub(lambda match, content=content: f"{match[1]}{content}\n{match[2]}", text)  # type: ignore[misc]
    return text


def main() -> None:
    """Rewrite the README and its picture."""
    PICTURE.write_bytes(picture()[0])
    README.write_text(generated(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
