"""What an address tells of a place; what is not known is left out."""

import pytest

from selfedge.edge.countries import CONTINENTS, EUROPEAN_UNION
from selfedge.edge.place import Places, open_database
from selfedge.errors import UsageError

FLAT = {
    "country_code": "DE",
    "state1": "Berlin",
    "city": "Berlin",
    "latitude": 52.5,
    "longitude": 13.4,
    "postcode": "",
    "timezone": None,
}
NESTED = {
    "country": {"iso_code": "US", "names": {"en": "United States"}},
    "city": {"names": {"en": "Austin"}},
    "subdivisions": [{"iso_code": "TX", "names": {"en": "Texas"}}],
    "postal": {"code": "78701"},
    "location": {"latitude": 30.2, "longitude": -97.7, "time_zone": "America/Chicago"},
    "autonomous_system_number": 64500,
    "autonomous_system_organization": "Example Net",
}


def places(record):
    return Places([lambda _: None, lambda _: record])


def test_flat_records_of_ip_location_db_are_read():
    assert places(FLAT).of("203.0.113.9") == {
        "country": "DE",
        "continent": "EU",
        "isEUCountry": "1",
        "city": "Berlin",
        "region": "Berlin",
        "latitude": "52.5",
        "longitude": "13.4",
    }


def test_nested_records_of_maxmind_are_read():
    assert places(NESTED).of("2001:db8::1") == {
        "country": "US",
        "continent": "NA",
        "city": "Austin",
        "region": "Texas",
        "regionCode": "TX",
        "postalCode": "78701",
        "latitude": "30.2",
        "longitude": "-97.7",
        "timezone": "America/Chicago",
        "asn": 64500,
        "asOrganization": "Example Net",
    }


@pytest.mark.parametrize("ip", ["", "nonsense", "1.2.3", "::g"])
def test_what_is_no_address_is_nowhere(ip):
    assert places(FLAT).of(ip) == {}


def test_an_unknown_address_is_nowhere():
    assert Places([lambda _: None]).of("203.0.113.9") == {}


def test_a_chosen_country_replaces_the_place_and_may_be_any_two_letters():
    assert places(FLAT).of("203.0.113.9", "us") == {"country": "US", "continent": "NA"}
    assert places(FLAT).of("203.0.113.9", "EU") == {"country": "EU"}


def test_every_member_of_the_union_has_a_continent():
    assert all(country in CONTINENTS for country in EUROPEAN_UNION)
    assert len(CONTINENTS) == 250


def test_a_file_that_is_no_database_is_refused_by_name(tmp_path):
    path = tmp_path / "places.mmdb"
    path.write_bytes(b"not a database")
    with pytest.raises(UsageError, match=r"places\.mmdb is not a MaxMind-format"):
        open_database(path)
