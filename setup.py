"""Map the top folders into one importable package; everything else is in pyproject.toml."""

from setuptools import setup

setup(
    packages=[
        "park_spool",
        "park_spool.accounts",
        "park_spool.archive",
        "park_spool.catalog",
        "park_spool.cli",
        "park_spool.client",
        "park_spool.composing",
        "park_spool.delivering",
        "park_spool.handles",
        "park_spool.hosts",
        "park_spool.installing",
        "park_spool.looking",
        "park_spool.mastering",
        "park_spool.pilots",
        "park_spool.plots",
        "park_spool.reducing",
        "park_spool.running",
        "park_spool.sessions",
        "park_spool.showing",
        "park_spool.sources",
        "park_spool.store",
        "park_spool.system",
        "park_spool.tending",
        "park_spool.datacenter",
        "park_spool.web",
        "park_spool.web.api",
        "park_spool.web.pages",
        "park_spool.services",
    ],
    package_dir={
        "park_spool": "park_spool",
        "park_spool.datacenter": "datacenter",
        "park_spool.web": "web",
        "park_spool.services": "services",
    },
)
