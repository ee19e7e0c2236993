"""One file per command of the command line; each wires settings, adapters and a stage together."""
