"""OTLP 1.11 row by row: each thing that the specification asks of a server is one check, run over real sockets."""
