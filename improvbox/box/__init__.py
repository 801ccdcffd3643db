"""The box: everything wired together, with its threads, budget, degradation ladder and watchdog."""
