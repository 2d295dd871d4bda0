#!/usr/bin/env python
"""Django's command line for Crossing."""

import os
import sys

OWNER_COMMANDS = {"migrate"}
"""Commands that change the schema and so connect as the owner role."""


def main() -> None:
    """Run a management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS:
        os.environ.setdefault("CROSSING_DATABASE_ROLE", "owner")
    from portal.house import development

    # A development checkout brings its own servers and variables; an installation names its own and is left alone.
    servers = development.adopt(os.environ)  # noqa: F841 - held until this process ends
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
