"""Rules of a team's own: Python files, data files and installed plugins that are judged beside the standard."""
