"""Sound to events: onset, pitch, bends, dynamics, polyphony, level; tempo and beat."""
