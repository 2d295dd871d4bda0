"""`manage.py demo`: load the demo, run its first preflight through the worker, say who can sign in where."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.demo import load, preflight, stories
from portal.demo.airlines import AIRLINES, Story


class Command(BaseCommand):
    """Runs inside `make demo`, which has started the servers, the worker and the counterparts."""

    help = "Load the demo and run its first preflight (make demo does the rest)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --code."""
        parser.add_argument("--code", metavar="EMAIL", help="only print a persona's one-time code of this moment")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the steps in order; any that fails ends the command with one line and exit code 1."""
        if not settings.DEMO:
            raise CommandError("This is not the demo (CROSSING_DEMO is off): nothing was loaded.")
        if options["code"]:
            known = [person.email for person in stories.with_codes()]
            if options["code"] not in known:
                raise CommandError(
                    f"Nobody of the demo signs in with a code as {options['code']}. Known: {', '.join(known)}"
                )
            self._say(_code(options["code"]))
            return
        load.load(report=self._say)
        self._say("First preflight of every tenant, through the queue and the worker:")
        jobs = preflight.request_all()
        try:
            preflight.watch(jobs, show=self._show)
        except preflight.UnfinishedError as error:
            raise CommandError(f"The preflight did not finish: {error}") from error
        self._say("")
        for line in preflight.table(jobs):
            self._say(line)
        self._introduce()

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _show(self, courses: Sequence[preflight.Course]) -> None:
        """Redraw the bars in place on a terminal; elsewhere write each tenant once, when it is done."""
        if self.stdout.isatty():
            drawn = getattr(self, "_drawn", 0)
            if drawn:
                self.stdout.write(f"\x1b[{drawn}F", ending="")
            for course in courses:
                self.stdout.write(f"\x1b[2K{course.bar()}")
            self._drawn = len(courses)
            return
        told: set[object] = self.__dict__.setdefault("_told", set())
        for course in courses:
            if course.is_over and course.tenant_id not in told:
                told.add(course.tenant_id)
                self._say(course.bar())

    def _introduce(self) -> None:
        url = settings.PUBLIC_URL
        self._say("")
        self._say(f"Sign in at {url}/accounts/login/ with the password {stories.password()}")
        for airline in AIRLINES:
            if airline.story is not Story.WAITING:
                self._say(f"  {airline.name}, {airline.story.value}: {url}/t/{airline.slug}/")
                self._say(f"    {_listed(stories.people(airline))}")
        self._say(f"  Staff: {url}/admin/")
        self._say(f"    {_listed(stories.staff())}")
        self._say("  * asks for a code: `make code FOR=…` tells the one of this half minute, good for one use")
        if settings.DEMO_IDENTITY_PROVIDER:
            self._say(f"Single sign-on is tested at the demo's identity provider: {settings.DEMO_IDENTITY_PROVIDER}")
        if settings.DEMO_DNS_CONSOLE:
            self._say(f"Publish DNS records at the demo's provider: {settings.DEMO_DNS_CONSOLE}")
        if settings.DEMO_RECEIVER:
            self._say(f"See what the demo's webhook receivers got: {settings.DEMO_RECEIVER}")


def _listed(people: Sequence[stories.Persona]) -> str:
    return ", ".join(f"{person.email}{'*' if person.totp_secret else ''}" for person in people)


def _code(email: str) -> str:
    """The one-time code that a persona's authenticator app shows now (RFC 6238)."""
    counters = [*yield_hotp_counters_from_time()]  # of this period in the middle, as many tolerated on both sides
    return str(format_hotp_value(hotp_value(stories.totp_secret(email), counters[len(counters) // 2])))
