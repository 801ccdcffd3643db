"""Models: their cards, the interpreter behind one adapter, and the store that finds and verifies them."""
