"""The command line. Commands import late, so that `liuke --help` answers at once."""
