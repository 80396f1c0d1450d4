"""charrnn-tui: train a character-level LSTM in the terminal, watch it learn, and play with what it writes."""

__version__ = "0.1.0"
