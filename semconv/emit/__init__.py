"""What agents call to say who acts, for whom, with what right and at what cost. Needs `opentelemetry-api` and nothing else.

The public names are in `actorscope.semconv`.
"""
