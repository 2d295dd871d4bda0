"""Evidence packs, requests to sign them, and signatures."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.rls import TenantTable

WRITTEN_ONCE = "SELECT, INSERT"
"""Nobody may change or delete what was signed."""

EXACT_BYTES = """
ALTER TABLE core_evidencepart ADD CONSTRAINT core_evidencepart_exact_bytes
      CHECK (sha256 = encode(sha256(body), 'hex'))
"""

DISTINCT_PEOPLE = """
-- Four eyes where one signature suffices: whoever asked for it cannot give it. Two signatures under one request are
-- already two people's (core_signature_distinct_people). And nothing is signed that has ended.
CREATE FUNCTION crossing.check_signature() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE asked record;
BEGIN
    SELECT state, requested_by, jsonb_array_length(seats) AS seats INTO asked
      FROM public.core_approvalrequest WHERE id = NEW.request_id;
    IF asked.state IS DISTINCT FROM 'open' THEN
        RAISE EXCEPTION 'The request takes no more signatures.' USING ERRCODE = 'check_violation';
    END IF;
    IF asked.seats = 1 AND asked.requested_by = NEW.user_id THEN
        RAISE EXCEPTION 'Whoever asks for an approval cannot give it.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER core_signature_check BEFORE INSERT ON core_signature
   FOR EACH ROW EXECUTE FUNCTION crossing.check_signature()
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("core", "0002_jobs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ApprovalRequest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("action", models.CharField(max_length=60)),
                ("seats", models.JSONField(help_text="The signatures it needs: a list of {name, user_id or null}.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("approved", "Approved"),
                            ("vetoed", "Vetoed"),
                            ("voided", "Voided"),
                        ],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                ("requested_by", models.UUIDField()),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_by", models.UUIDField(blank=True, null=True)),
                ("ending", models.TextField(blank=True, help_text="Why it ended, in words for the customer.")),
            ],
        ),
        migrations.CreateModel(
            name="EvidencePack",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("action", models.CharField(max_length=60)),
                ("evidence_sha256", models.CharField(max_length=64)),
                ("material_sha256", models.CharField(max_length=64)),
                ("manifest", models.BinaryField()),
                ("collected_at", models.DateTimeField()),
                ("collected_by", models.UUIDField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="EvidencePart",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                ("title", models.CharField(max_length=120)),
                ("body", models.BinaryField()),
                ("sha256", models.CharField(max_length=64)),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Signature",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("seat", models.CharField(max_length=40)),
                (
                    "method",
                    models.CharField(
                        choices=[("passkey", "Passkey"), ("totp", "Authenticator code"), ("password", "Password")],
                        max_length=12,
                    ),
                ),
                ("signed_at", models.DateTimeField()),
                (
                    "record",
                    models.BinaryField(help_text="The signature with its seal, exactly as it stands in the pack."),
                ),
            ],
            options={
                "ordering": ("signed_at", "seat"),
            },
        ),
        migrations.CreateModel(
            name="SigningStatement",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("user_id", models.UUIDField()),
                ("seat", models.CharField(max_length=40)),
                ("body", models.BinaryField()),
                ("nonce_sha256", models.CharField(max_length=64)),
                ("issued_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="job",
            name="core_job_finished_pair",
        ),
        migrations.RemoveIndex(
            model_name="job",
            name="core_job_lane",
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("state__in", ["running", "queued"]), models.Q(("lane", ""), _negated=True)),
                fields=["tenant", "lane", "sequence"],
                name="core_job_lane",
            ),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finished_at", None), ("state__in", ["running", "queued"])),
                    models.Q(
                        models.Q(("state__in", ["running", "queued"]), _negated=True), ("finished_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="core_job_finished_pair",
            ),
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="tenant",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="evidencepack",
            name="tenant",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="pack",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="requests", to="core.evidencepack"
            ),
        ),
        migrations.AddField(
            model_name="evidencepart",
            name="pack",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="parts", to="core.evidencepack"
            ),
        ),
        migrations.AddField(
            model_name="evidencepart",
            name="tenant",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="signature",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="signatures", to="core.approvalrequest"
            ),
        ),
        migrations.AddField(
            model_name="signature",
            name="tenant",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="signature",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="signingstatement",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="statements", to="core.approvalrequest"
            ),
        ),
        migrations.AddField(
            model_name="signingstatement",
            name="tenant",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="signature",
            name="statement",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="signatures", to="core.signingstatement"
            ),
        ),
        migrations.AddConstraint(
            model_name="approvalrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "open")), fields=("tenant", "action"), name="core_approvalrequest_one_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="approvalrequest",
            constraint=models.UniqueConstraint(fields=("tenant", "pack"), name="core_approvalrequest_own_pack"),
        ),
        migrations.AddConstraint(
            model_name="approvalrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("ended_by", None), ("state", "open")),
                    models.Q(
                        models.Q(("state", "open"), _negated=True),
                        ("ended_at__isnull", False),
                        ("ended_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="core_approvalrequest_ended_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidencepart",
            constraint=models.UniqueConstraint(fields=("tenant", "pack", "name"), name="core_evidencepart_once"),
        ),
        migrations.AddConstraint(
            model_name="signingstatement",
            constraint=models.UniqueConstraint(
                fields=("tenant", "nonce_sha256"), name="core_signingstatement_nonce_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="signature",
            constraint=models.UniqueConstraint(
                fields=("tenant", "request", "user"), name="core_signature_distinct_people"
            ),
        ),
        migrations.AddConstraint(
            model_name="signature",
            constraint=models.UniqueConstraint(
                fields=("tenant", "request", "seat"), name="core_signature_one_per_seat"
            ),
        ),
        migrations.AddConstraint(
            model_name="signature",
            constraint=models.UniqueConstraint(fields=("tenant", "statement"), name="core_signature_nonce_once"),
        ),
        TenantTable("core_evidencepack", grants=WRITTEN_ONCE),
        TenantTable("core_evidencepart", references={"pack_id": "core_evidencepack"}, grants=WRITTEN_ONCE),
        TenantTable(
            "core_approvalrequest", references={"pack_id": "core_evidencepack"}, grants="SELECT, INSERT, UPDATE"
        ),
        TenantTable(
            "core_signingstatement",
            references={"request_id": "core_approvalrequest"},
            grants="SELECT, INSERT, UPDATE (used_at)",
        ),
        TenantTable(
            "core_signature",
            references={"request_id": "core_approvalrequest", "statement_id": "core_signingstatement"},
            grants=WRITTEN_ONCE,
        ),
        migrations.RunSQL([EXACT_BYTES, DISTINCT_PEOPLE], migrations.RunSQL.noop),
    ]
