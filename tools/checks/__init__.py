"""Rules of tools/lint. Each rule is a function that turns a file or the tree into findings."""
