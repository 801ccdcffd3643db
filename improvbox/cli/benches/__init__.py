"""What `improvbox bench` measures: one module a bench."""
