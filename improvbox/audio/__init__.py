"""Sound in: sources that all look alike (a card, a file, a tone), the ring, the finder, and the rig that stands in
for a card."""
