import json

import pytest

from revenue_forecast.errors import ModelError
from revenue_forecast.request import parse_request, read_request


def test_what_is_left_out_gets_the_default_of_the_schema(ask, schema):
    request = ask()
    rules = schema["properties"]
    assert request.title == rules["title"]["default"]
    assert request.horizon_months == rules["horizon_months"]["default"]
    assert request.interval_percent == rules["interval_percent"]["default"]
    assert request.growth_percent == {}


def test_years_become_numbers_and_whole_numbers_may_be_written_with_a_point(ask):
    request = ask(title=" Plan\n 2027 ", horizon_months=24.0, growth_percent={"Hardware": {"2027": 4.5, "2028": -3}})
    assert request.title == "Plan 2027"
    assert request.horizon_months == 24
    assert request.growth_percent == {"Hardware": {2027: 4.5, 2028: -3.0}}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "The input must be an object"),
        ({"horizon": 12}, 'field "horizon"'),
        ({"horizon_months": "12"}, "horizon_months must be a number from 1 to 60"),
        ({"horizon_months": 12.5}, "whole number"),
        ({"horizon_months": True}, "not true"),
        ({"horizon_months": 61}, "not 61"),
        ({"interval_percent": 0.9}, "interval_percent must be a number from 50 to 99"),
        ({"title": "  "}, "title"),
        ({"growth_percent": [4]}, "growth_percent must be an object"),
        ({"growth_percent": {"Hardware": 4}}, 'growth_percent of "Hardware" must be an object'),
        ({"growth_percent": {"Hardware": {"next year": 4}}}, 'the year "next year"'),
        ({"growth_percent": {"Hardware": {"2027": None}}}, 'growth_percent of "Hardware" for 2027'),
        ({"growth_percent": {"Hardware": {"2027": -100}}}, "from -90 to 300"),
    ],
)
def test_a_wrong_field_ends_in_a_sentence_that_names_it(schema, document, says):
    with pytest.raises(ModelError, match=says):
        parse_request(document, schema)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"horizon_months": NaN}', "\ufffe"])
def test_what_is_not_json_ends_in_a_sentence(tmp_path, text):
    from revenue_forecast.job import ROW_SCHEMA, SCHEMA

    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(ModelError, match="plan.json is not valid JSON"):
        read_request(path, SCHEMA, ROW_SCHEMA)


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    from revenue_forecast.job import ROW_SCHEMA, SCHEMA

    path = tmp_path / "plan.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"title": "Été"}).encode())
    assert read_request(path, SCHEMA, ROW_SCHEMA).title == "Été"


def test_a_missing_input_file_ends_in_a_sentence(tmp_path):
    from revenue_forecast.job import ROW_SCHEMA, SCHEMA

    with pytest.raises(ModelError, match="could not be opened"):
        read_request(tmp_path / "absent.json", SCHEMA, ROW_SCHEMA)
