"""`python -m charrnn_tui` is `charrnn-tui`."""

from charrnn_tui.cli.main import main

if __name__ == "__main__":
    main()
