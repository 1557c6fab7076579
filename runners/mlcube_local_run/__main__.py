"""`python -m mlcube_local_run configure|run --mlcube=DIR --platform=FILE`."""

from mlcube_conformance.commands.runner import run_command_line

if __name__ == "__main__":
    run_command_line("local", "mlcube_local_run")
