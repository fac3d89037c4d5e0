"""Runs sam validate, without and with --lint, on every template named. Prints what it finds; exits 1 when it finds something.

One process for all of them: starting it takes longer than validating.
"""

import contextlib
import io
import sys

from samcli.cli.main import cli

bad = False
for template in sys.argv[1:]:
    for flags in ([], ["--lint"]):
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                cli.main(["validate", "--template", template, *flags], prog_name="sam")
            except SystemExit as e:
                failed = e.code
        if failed:
            print(f"{template} {' '.join(flags)}: {said.getvalue().strip()}")
            bad = True
sys.exit(bad)
