"""Footswitches, knobs, LEDs and OSC in: everything that turns what a foot, a hand or a message does into commands."""
