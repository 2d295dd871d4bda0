"""Django's templates, whose output is legible: pages, papers and mails alike, whatever the names in them hold.

It is done here and not at each name: a place that somebody forgot would be the one that is used.
"""

from typing import Any, override

from django.http import HttpRequest
from django.template.backends import django
from django.utils.safestring import SafeString, mark_safe

from core.legible import legible


class Template(django.Template):
    """A template whose output hides nothing, and turns nothing around."""

    @override
    def render(self, context: dict[str, Any] | None = None, request: HttpRequest | None = None) -> SafeString:
        return mark_safe(legible(super().render(context, request)))  # noqa: S308  (rendered, so escaped, already)


class Templates(django.DjangoTemplates):
    """The engine that `settings.TEMPLATES` names."""

    @override
    def from_string(self, template_code: str) -> Template:
        return Template(super().from_string(template_code).template, self)

    @override
    def get_template(self, template_name: str) -> Template:
        return Template(super().get_template(template_name).template, self)
