"""Finding clients: names with wildcards, filters, pages, order."""

import pytest
from taegis_sdk_python.services.clients.types import (
    ClientsSearchInput,
    ClientsSearchSortBy,
    ClientsSearchSortOrder,
)

from support import ADMINISTRATOR, ANALYST, AUDITOR, RESPONDER, names, refused

GREATEST = 2**31 - 1


@pytest.fixture
def inside(root, tenant):
    """The service in the context of a tenant that has only the objects of the test."""
    with root(tenant_id=tenant):
        yield root


@pytest.fixture
def five(new_client, tenant, inside):
    """Created out of order, so that a sorted result proves sorting."""
    made = {name: new_client(tenant, name=name) for name in ("p4", "p2", "p5", "p1", "p3")}
    return dict(sorted(made.items()))


NAMES = ["alpha docs", "alpha docs one", "alpha_docs", "alphaXdocs", "back\\slash", "docs", "docs one", "per cent 100%"]


def test_name_pattern_means_the_same_everywhere(inside, new_client, tenant):
    for name in NAMES:
        new_client(tenant, name=name)
    for pattern, found in {
        "%docs%": ["alpha docs", "alpha docs one", "alpha_docs", "alphaXdocs", "docs", "docs one"],
        "%%docs%%": ["alpha docs", "alpha docs one", "alpha_docs", "alphaXdocs", "docs", "docs one"],
        "docs%": ["docs", "docs one"],
        "%docs": ["alpha docs", "alpha_docs", "alphaXdocs", "docs"],
        "al%a%one": ["alpha docs one"],
        # Letter case is ignored.
        "ALPHA%ONE": ["alpha docs one"],
        "alphaxDOCS": ["alphaXdocs"],
        # Without the wildcard, the whole name.
        "docs": ["docs"],
        "alpha": [],
        # Only % is a wildcard.
        "alpha_docs": ["alpha_docs"],
        "%a_d%": ["alpha_docs"],
        "back\\slash": ["back\\slash"],
        "%\\%": ["back\\slash"],
        "*docs*": [],
        "%": NAMES,
    }.items():
        assert sorted(names(inside.clients.query.clients(name=pattern))) == sorted(found), pattern
        searched = inside.clients.query.clients_search(ClientsSearchInput(name=pattern))
        assert sorted(names(searched.results)) == sorted(found), pattern
        assert (searched.result_count, searched.total_count) == (len(found), len(found))


def test_pages_count_from_one(inside, five):
    def page(number, size=2):
        return names(inside.clients.query.clients(page=number, per_page=size))

    assert [page(1), page(2), page(3), page(4)] == [["p1", "p2"], ["p3", "p4"], ["p5"], []]
    assert page(None) == page(0) == page(-1) == page(1)
    assert page(1, None) == list(five)


def test_extreme_pages_do_no_harm(inside, five):
    for number, size in ((GREATEST, GREATEST), (GREATEST, 1), (-GREATEST, -GREATEST), (1, 0)):
        inside.clients.query.clients(page=number, per_page=size)
        inside.clients.query.clients_search(ClientsSearchInput(page_offset=number, per_page=size))
    assert names(inside.clients.query.clients(page=1, per_page=GREATEST)) == list(five)


def test_search_pages_count_from_zero(inside, five):
    def page(offset):
        return inside.clients.query.clients_search(ClientsSearchInput(page_offset=offset, per_page=2))

    pages = [page(offset) for offset in range(4)]
    assert [names(page.results) for page in pages] == [["p1", "p2"], ["p3", "p4"], ["p5"], []]
    assert [page.result_count for page in pages] == [2, 2, 1, 0]
    assert {(page.total_count, page.total_unfiltered_count) for page in pages} == {(5, 5)}


def test_totals_tell_filtered_from_all(inside, five):
    found = inside.clients.query.clients_search(ClientsSearchInput(name="p1"))
    assert (found.result_count, found.total_count, found.total_unfiltered_count) == (1, 1, 5)


def test_search_without_filters_shows_all(inside, five):
    for filters in (None, ClientsSearchInput()):
        assert names(inside.clients.query.clients_search(filters).results) == list(five)


@pytest.mark.parametrize("by", ClientsSearchSortBy)
def test_order_holds_over_pages(by, inside, five, sdk):
    sdk(five["p3"])

    def search(order, **page):
        filters = ClientsSearchInput(sort_by=by, sort_order=order, **page)
        return names(inside.clients.query.clients_search(filters).results)

    ascending = search(ClientsSearchSortOrder.ASC)
    assert sorted(ascending) == list(five)
    paged = [search(ClientsSearchSortOrder.ASC, page_offset=offset, per_page=2) for offset in range(3)]
    assert sum(paged, []) == ascending


def test_order_by_name(inside, five):
    for order, expected in ((ClientsSearchSortOrder.ASC, list(five)), (ClientsSearchSortOrder.DESC, list(five)[::-1])):
        filters = ClientsSearchInput(sort_by=ClientsSearchSortBy.NAME, sort_order=order)
        assert names(inside.clients.query.clients_search(filters).results) == expected


def test_order_by_client_id(inside, five):
    filters = ClientsSearchInput(sort_by=ClientsSearchSortBy.CLIENT_ID, sort_order=ClientsSearchSortOrder.DESC)
    found = [client.client_id for client in inside.clients.query.clients_search(filters).results]
    assert found == sorted((client.client_id for client in five.values()), reverse=True)


@pytest.mark.parametrize("by", [ClientsSearchSortBy.TOKEN_REQUEST_COUNT, ClientsSearchSortBy.TOKEN_REQUEST_TIME])
def test_order_by_use(by, inside, five, sdk):
    for name in ("p3", "p3", "p2"):
        sdk(five[name])
    # The latest client to request a token, and the one with the most requests.
    sdk(five["p3"])
    filters = ClientsSearchInput(sort_by=by, sort_order=ClientsSearchSortOrder.DESC)
    assert names(inside.clients.query.clients_search(filters).results)[:2] == ["p3", "p2"]


def test_filters_narrow_together(inside, new_client, tenant):
    auditor = new_client(tenant, roles=[AUDITOR], name="auditor")
    analyst = new_client(tenant, name="analyst")
    both = new_client(tenant, roles=[ANALYST, AUDITOR], name="both")

    for filters, found in (
        ({"client_ids": [analyst.client_id, "unknown"]}, ["analyst"]),
        ({"client_ids": [analyst.client_id, auditor.client_id]}, ["analyst", "auditor"]),
        ({"role_ids": [AUDITOR]}, ["auditor", "both"]),
        ({"role_ids": [AUDITOR, ANALYST]}, ["analyst", "auditor", "both"]),
        ({"role_ids": [ADMINISTRATOR, RESPONDER]}, []),
        ({"role_ids": [AUDITOR], "name": "b%"}, ["both"]),
        ({"role_ids": [ANALYST], "client_ids": [auditor.client_id, both.client_id]}, ["both"]),
        ({"tenant_id": tenant, "tenant_ids": [tenant]}, ["analyst", "auditor", "both"]),
    ):
        assert names(inside.clients.query.clients(**filters)) == found, filters
        assert names(inside.clients.query.clients_search(ClientsSearchInput(**filters)).results) == found, filters


def test_tenant_filter_never_widens(inside, five, new_client, new_tenant):
    other = new_tenant()
    hidden = new_client(other)
    for filters in ({"tenant_id": other}, {"tenant_ids": [other]}, {"client_ids": [hidden.client_id]}):
        assert inside.clients.query.clients(**filters) == []
        assert inside.clients.query.clients_search(ClientsSearchInput(**filters)).total_count == 0


def test_name_that_no_database_can_hold_is_refused(inside):
    with refused("BAD_USER_INPUT"):
        inside.clients.query.clients(name="nul\0")
    with refused("BAD_USER_INPUT"):
        inside.clients.mutation.create_client(name="nul\0")
