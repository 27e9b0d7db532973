"""The main job, whole and its training alone."""
