"""The assertion every page is held to is not blind."""

import pytest

from tests.browsing import Visits, check_page

FAULTS = {
    "style-src": "() => document.body.setAttribute('style', 'color: red')",
    "2 h1 headings": "() => document.querySelector('main').append(document.createElement('h1'))",
    "sideways": "() => { document.querySelector('main').innerHTML += '<p class=nowrap>' + 'W'.repeat(400) }",
    "image-alt": "() => document.querySelector('main').append(document.createElement('img'))",
    "broken on purpose": "() => console.error('broken on purpose')",
    "title ''": "() => { document.title = '' }",
}


@pytest.mark.parametrize(("said", "fault"), FAULTS.items())
def test_a_faulty_page_is_refused(look: Visits, said: str, fault: str) -> None:
    page = look("/accounts/login/")
    page.evaluate(fault)
    with pytest.raises(AssertionError, match=said):
        check_page(page)
