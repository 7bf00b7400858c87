"""The real program on loopback, from OTLP to a finding."""
