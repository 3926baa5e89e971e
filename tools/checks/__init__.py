"""Rules of tools/lint: each is a function from a file or the tree to findings."""
