"""Other backends under the same load on the same machine: `make bench-peers`."""
