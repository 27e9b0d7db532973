"""Steps, planner and runner: the only place where families meet."""
