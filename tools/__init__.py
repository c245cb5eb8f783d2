"""Programs that look after the repository: its address, its notebooks, its README and its pinned packages."""
