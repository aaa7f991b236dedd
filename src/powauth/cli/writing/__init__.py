"""Writing: how commands change files of a project. All is shown first, tried out, and written whole or not at all."""
