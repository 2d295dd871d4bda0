"""What others expect of a SCIM server: scim2-tester, over a real socket."""

import httpx
import pytest
from scim2_tester import Status, check_server

from core.permissions import TenantRole
from tests import api, make
from tests.scim import Client


@pytest.mark.slow
def test_scim2_tester_reports_no_error(committed_db, live_server, settings):
    settings.PUBLIC_URL = live_server.url
    settings.SCIM_QUOTA = 100_000
    secret = api.token(make.member(make.tenant(), TenantRole.OWNER), "scim")
    headers = {"Authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=f"{live_server.url}/scim/v2", headers=headers, timeout=30) as http:
        results = check_server(Client(http))
    wrong = [result for result in results if result.status in (Status.ERROR, Status.CRITICAL, Status.DEVIATION)]
    assert wrong == []
    done = [result for result in results if result.status in (Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE)]
    assert len(done) >= 30, [str(result) for result in results]
    assert {result.resource_type for result in done} >= {"User", "Group"}
