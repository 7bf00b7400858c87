"""What every answer takes first: the store, under the only name by which dashboards know it."""

from actorscope.ingest.store.client import Store as Source

__all__ = ["Source"]
