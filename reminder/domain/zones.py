"""Which clock hangs on the wall where a calendar holds?"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

from reminder.domain.national import Place

ZONES: Mapping[str, str] = MappingProxyType(
    {
        "AT": "Europe/Vienna", "AU": "Australia/Sydney", "AU-NT": "Australia/Darwin",
        "AU-QLD": "Australia/Brisbane", "AU-SA": "Australia/Adelaide", "AU-TAS": "Australia/Hobart",
        "AU-VIC": "Australia/Melbourne", "AU-WA": "Australia/Perth", "BE": "Europe/Brussels",
        "BR": "America/Sao_Paulo", "CA": "America/Toronto", "CA-AB": "America/Edmonton",
        "CA-BC": "America/Vancouver", "CA-MB": "America/Winnipeg", "CA-NB": "America/Moncton",
        "CA-NL": "America/St_Johns", "CA-NS": "America/Halifax", "CA-PE": "America/Halifax",
        "CA-SK": "America/Regina", "CH": "Europe/Zurich", "CN": "Asia/Shanghai", "CZ": "Europe/Prague",
        "DE": "Europe/Berlin", "DK": "Europe/Copenhagen", "ES": "Europe/Madrid", "ES-CN": "Atlantic/Canary",
        "FI": "Europe/Helsinki", "FR": "Europe/Paris", "GB": "Europe/London", "GR": "Europe/Athens",
        "HK": "Asia/Hong_Kong", "HU": "Europe/Budapest", "ID": "Asia/Jakarta", "IE": "Europe/Dublin",
        "IN": "Asia/Kolkata", "IT": "Europe/Rome", "JP": "Asia/Tokyo", "KR": "Asia/Seoul",
        "LV": "Europe/Riga", "MO": "Asia/Macau", "MX": "America/Mexico_City", "MY": "Asia/Kuala_Lumpur",
        "NL": "Europe/Amsterdam", "NO": "Europe/Oslo", "NZ": "Pacific/Auckland", "PH": "Asia/Manila",
        "PL": "Europe/Warsaw", "PT": "Europe/Lisbon", "RU": "Europe/Moscow", "SE": "Europe/Stockholm",
        "SG": "Asia/Singapore", "TH": "Asia/Bangkok", "TR": "Europe/Istanbul", "TW": "Asia/Taipei",
        "UA": "Europe/Kyiv", "US": "America/New_York", "UZ": "Asia/Tashkent", "VN": "Asia/Ho_Chi_Minh",
        "ZA": "Africa/Johannesburg",
        **dict.fromkeys(
            ("US-AL", "US-AR", "US-IA", "US-IL", "US-KS", "US-LA", "US-MN", "US-MO", "US-MS", "US-ND",
             "US-NE", "US-OK", "US-SD", "US-TN", "US-TX", "US-WI"),
            "America/Chicago",
        ),
        **dict.fromkeys(("US-CO", "US-ID", "US-MT", "US-NM", "US-UT", "US-WY"), "America/Denver"),
        **dict.fromkeys(("US-CA", "US-NV", "US-OR", "US-WA"), "America/Los_Angeles"),
        "US-AK": "America/Anchorage", "US-AZ": "America/Phoenix", "US-HI": "Pacific/Honolulu",
        "US-PR": "America/Puerto_Rico",
    }
)  # fmt: skip
"""By calendar code; where a country or a state keeps several clocks, the one most of its people live by."""


@cache
def zone_of(code: str) -> ZoneInfo | None:
    """The zone of a calendar, its country's where the part has none of its own; None where we know none.

    Raises Refused("calendar_unknown") for no calendar.
    """
    place = Place.parse(code)
    name = ZONES.get(str(place)) or ZONES.get(place.country)
    return ZoneInfo(name) if name else None
