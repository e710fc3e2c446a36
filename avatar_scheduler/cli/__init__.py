"""The command line. `main` has the commands; nothing is loaded here, so that `cli.run` starts quickly."""
