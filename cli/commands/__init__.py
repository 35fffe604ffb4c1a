"""Every command, a module for each panel of `driftloop --help`; importing one registers it."""
