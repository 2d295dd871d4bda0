"""Codes have their words where staff sees them; nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0021_access_review_written"),
    ]

    operations = [
        migrations.AlterField(
            model_name="accessline",
            name="difference",
            field=models.CharField(
                choices=[
                    ("more", "More"),
                    ("only_new", "Only new"),
                    ("less", "Less"),
                    ("only_old", "Only legacy"),
                    ("same", "Same"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="domain",
            name="proven_via",
            field=models.CharField(
                blank=True,
                choices=[("txt", "its TXT record"), ("cname", "its alias"), ("file", "the file on its web site")],
                editable=False,
                help_text="What proved it last.",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="domaincheck",
            name="code",
            field=models.CharField(help_text="Which cure it needs; the summary says it in words.", max_length=20),
        ),
        migrations.AlterField(
            model_name="linkproposal",
            name="reason",
            field=models.CharField(
                choices=[
                    ("linked", "Linked to the member"),
                    ("linked_by_rule", "Linked by your standing rule for the domain"),
                    ("joined_by_rule", "Joined by your standing rule for the domain"),
                    ("to_be_approved", "The address is a member's, and the link to them waits for approval"),
                    (
                        "name_has_new_owner",
                        "The name is linked already, but your provider now gives another id with it",
                    ),
                    ("already_linked", "The address is a member's who signs in as somebody else of your directory"),
                    ("answer_refused", "The provider's answer was refused"),
                    (
                        "name_not_lasting",
                        "The provider names the person by a NameID that is made anew for each sign-in (transient)",
                    ),
                    ("not_a_member", "Nobody in your account has this address"),
                    ("link_rejected", "The link to this member was rejected"),
                    ("deactivated", "The member is deactivated"),
                    ("address_elsewhere", "The member's own address is not of a domain you have proven"),
                    ("staff", "The address belongs to one of our own people"),
                ],
                help_text="Why the link waits.",
                max_length=30,
            ),
        ),
        migrations.AlterField(
            model_name="provisioneduser",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("nothing", "Changed nothing"),
                    ("linked", "Linked to the member"),
                    ("joined", "Became a member"),
                    ("waiting", "Waits for approval"),
                    ("nobody", "Did not become a member"),
                    ("put_out", "Deactivated"),
                    ("came_back", "Came back"),
                    ("role", "Got another role"),
                    ("refused", "Refused"),
                ],
                help_text="What became of it last.",
                max_length=30,
            ),
        ),
        migrations.AlterField(
            model_name="provisioneduser",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    (
                        "last_owner",
                        "An account must keep an owner, and this is the last: make another member an owner first.",
                    ),
                    (
                        "break_glass",
                        "They are a break-glass owner, who gets in when your provider fails: name another one first, under “Company sign-in”.",
                    ),
                    ("role_not_ours", "Only an owner changes owners: let an owner rotate the directory's token."),
                    ("no_address", "It has no e-mail address, and its userName is none: send one."),
                    (
                        "not_proven",
                        "The address is not of a domain that you have proven: prove it, or invite the person.",
                    ),
                    ("elsewhere", "The address has an account already: invite the person."),
                    (
                        "put_out_here",
                        "Somebody here deactivated the member: only people bring them back, by an invitation.",
                    ),
                    ("rejected", "Somebody here decided that the two are not one person."),
                    ("staff", "The address belongs to one of our own people."),
                ],
                help_text="Why nothing became of it.",
                max_length=30,
            ),
        ),
        migrations.AlterField(
            model_name="provisioningcall",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("nothing", "Changed nothing"),
                    ("linked", "Linked to the member"),
                    ("joined", "Became a member"),
                    ("waiting", "Waits for approval"),
                    ("nobody", "Did not become a member"),
                    ("put_out", "Deactivated"),
                    ("came_back", "Came back"),
                    ("role", "Got another role"),
                    ("refused", "Refused"),
                ],
                help_text="What became of it.",
                max_length=30,
            ),
        ),
        migrations.AlterField(
            model_name="ssosignin",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("signed_in", "Signed in"),
                    ("joined", "Joined"),
                    ("waiting", "Waits"),
                    ("refused", "Refused"),
                ],
                help_text="Once it was answered.",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="ssosignin",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("linked", "Linked to the member"),
                    ("linked_by_rule", "Linked by your standing rule for the domain"),
                    ("joined_by_rule", "Joined by your standing rule for the domain"),
                    ("to_be_approved", "The address is a member's, and the link to them waits for approval"),
                    (
                        "name_has_new_owner",
                        "The name is linked already, but your provider now gives another id with it",
                    ),
                    ("already_linked", "The address is a member's who signs in as somebody else of your directory"),
                    ("answer_refused", "The provider's answer was refused"),
                    (
                        "name_not_lasting",
                        "The provider names the person by a NameID that is made anew for each sign-in (transient)",
                    ),
                    ("not_a_member", "Nobody in your account has this address"),
                    ("link_rejected", "The link to this member was rejected"),
                    ("deactivated", "The member is deactivated"),
                    ("address_elsewhere", "The member's own address is not of a domain you have proven"),
                    ("staff", "The address belongs to one of our own people"),
                ],
                help_text="Once it was answered.",
                max_length=30,
            ),
        ),
        migrations.AlterField(
            model_name="ssotest",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[("passed", "Passed"), ("failed", "Failed")],
                help_text="Once it was answered.",
                max_length=10,
            ),
        ),
    ]
