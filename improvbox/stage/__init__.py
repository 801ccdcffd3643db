"""From planned notes to sound, packets and files: the weaver, the sinks it drives, and what is made of a session."""
