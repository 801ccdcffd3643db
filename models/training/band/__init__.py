"""Makes the event model: corpora -> renditions -> training -> quantized file -> held-out scores."""
