"""The pages of a tenant's people and domains, under `/t/<slug>/`."""

from django.urls import path

from accounts.views import domain_links, domains, enforcement, lockouts, members, sso, sso_people

app_name = "accounts"

urlpatterns = [
    path("members/", members.listing, name="members"),
    path("members/invite/", members.invite, name="invite"),
    path("members/<uuid:member_id>/role/", members.change_role, name="change_role"),
    path("members/<uuid:member_id>/deactivate/", members.deactivate, name="deactivate"),
    path("members/<uuid:member_id>/second-factor/reset/", members.reset_second_factor, name="reset_second_factor"),
    path("members/invitations/<uuid:invitation_id>/resend/", members.resend, name="resend_invitation"),
    path("members/invitations/<uuid:invitation_id>/revoke/", members.revoke, name="revoke_invitation"),
    path("domains/", domains.listing, name="domains"),
    path("domains/claim/", domains.claim, name="claim_domain"),
    path("domains/<uuid:domain_id>/", domains.show, name="domain"),
    path("domains/<uuid:domain_id>/check/", domains.check, name="check_domain"),
    path("domains/<uuid:domain_id>/method/", domains.choose, name="choose_domain"),
    path("domains/<uuid:domain_id>/renew/", domains.renew, name="renew_domain"),
    path("domains/<uuid:domain_id>/links/", domain_links.make, name="make_domain_link"),
    path("domains/links/<uuid:link_id>/revoke/", domain_links.revoke, name="revoke_domain_link"),
    path("domains/<uuid:domain_id>/release/", domains.release, name="release_domain"),
    path("sso/", sso.show, name="sso"),
    path("sso/begin/", sso.begin, name="begin_sso"),
    path("sso/connect/", sso.connect, name="connect_sso"),
    path("sso/disconnect/", sso.disconnect, name="disconnect_sso"),
    path("sso/decline/", sso.decline, name="decline_sso"),
    path("sso/tests/", sso.start_test, name="start_sso_test"),
    path("sso/tests/<uuid:test_id>/", sso.show_test, name="sso_test"),
    path("sso/sign-ins/", sso_people.history, name="sso_sign_ins"),
    path("sso/sign-ins/<uuid:sign_in_id>/", sso_people.show, name="sso_sign_in"),
    path("sso/links/", sso_people.links, name="sso_links"),
    path("sso/links/decide/", sso_people.decide, name="decide_links"),
    path("sso/links/rules/", sso_people.make_rule, name="make_link_rule"),
    path("sso/links/rules/<uuid:rule_id>/end/", sso_people.end_rule, name="end_link_rule"),
    path("sso/links/<uuid:identity_id>/unlink/", sso_people.unlink, name="unlink"),
    path("sso/links/rejected/<uuid:proposal_id>/reopen/", sso_people.reopen, name="reopen_link"),
    path("sso/enforcement/", enforcement.show, name="enforcement"),
    path("sso/enforcement/announce/", enforcement.announce, name="announce_enforcement"),
    path("sso/enforcement/end/", enforcement.end, name="end_enforcement"),
    path("sso/enforcement/break-glass/<int:seat>/", enforcement.name, name="name_break_glass"),
    path("sso/enforcement/codes/<uuid:owner_id>/", enforcement.issue, name="issue_recovery_codes"),
    path("sso/enforcement/cutback/", enforcement.ask_cutback, name="ask_cutback"),
    path("sso/enforcement/cutback/<uuid:cutback_id>/approve/", enforcement.approve_cutback, name="approve_cutback"),
    path("sso/enforcement/cutback/<uuid:cutback_id>/end/", enforcement.end_cutback, name="end_cutback"),
    path("sso/forecast/", lockouts.show, name="lockouts"),
    path("sso/forecast/csv/", lockouts.download, name="lockouts_csv"),
]
