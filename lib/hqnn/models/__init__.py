"""The papers' models: one module per paper, hybrid and classical twin side by side."""
