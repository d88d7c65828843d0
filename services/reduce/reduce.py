"""PARK's name for the base class: a reducer in any services folder says `from reduce import Reduce`."""

from park_spool.reduce import XML_HEADER, Reduce

__all__ = ["XML_HEADER", "Reduce"]
