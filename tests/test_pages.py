"""What pages show."""

from hqnn.pages import source


def documented(x: int) -> int:
    """Say so.

    At length.
    """

    def inner() -> int:
        """Too."""
        return x

    return inner()


class Bare:
    """Nothing else."""


def test_source_is_the_code_without_its_docstrings() -> None:
    assert source(documented, Bare).data == (
        "```python\n"
        "def documented(x: int) -> int:\n"
        "    def inner() -> int:\n"
        "        return x\n"
        "\n"
        "    return inner()\n"
        "\n"
        "class Bare:\n"
        "    ...\n"
        "```"
    )
