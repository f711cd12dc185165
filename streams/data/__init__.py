"""Real data: the two shops that are shipped, and any other set in a folder of the same form."""

from streams.data.folder import DataSet, Kind, Protocol, read_folder
from streams.data.lines import BadData, raw_lines, read_lines
from streams.data.shops import ESHOP_CLOTHING, ONLINE_RETAIL, Shop, in_time_order, shops

__all__ = [
    "ESHOP_CLOTHING",
    "ONLINE_RETAIL",
    "BadData",
    "DataSet",
    "Kind",
    "Protocol",
    "Shop",
    "in_time_order",
    "raw_lines",
    "read_folder",
    "read_lines",
    "shops",
]
