"""`python -m actorscope` is the `actorscope` command; without what the server needs it says how to get it."""

import sys


def main() -> None:
    """Run the command, or end with 2 when the `server` extra is not installed."""
    try:
        from actorscope.cli import main as command
    except ModuleNotFoundError as error:
        if (error.name or "actorscope").startswith("actorscope"):
            raise
        print(f"actorscope: {error.name} is missing: pip install 'actorscope[server]'", file=sys.stderr)
        raise SystemExit(2) from None
    command()


if __name__ == "__main__":
    main()
