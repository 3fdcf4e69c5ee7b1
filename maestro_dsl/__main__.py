"""`python -m maestro_dsl` is `maestro`."""

from maestro_dsl.cli import main

if __name__ == "__main__":
    main()
