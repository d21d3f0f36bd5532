"""The subcommands of `marketplace`, one module each."""
