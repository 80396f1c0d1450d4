"""What is sent to a terminal to say that something has happened."""

from charrnn_tui.run.terminal_notice import notice_sequences, title_sequence


def test_a_title_cannot_control_the_terminal() -> None:
    assert title_sequence("! [b]\x07\x1b]0;x\x9c\u202e\u061c\u200e\ufeff\ud800") == "\x1b]2;! [b]]0;x\x07"


def test_a_notice_rings_sets_the_title_and_notifies_the_desktop_in_both_ways() -> None:
    assert notice_sequences("anna-3;\x1b", "finished; val 1.2 nats/char") == (
        "\x07\x1b]2;anna-3;: finished; val 1.2 nats/char\x07"
        "\x1b]9;anna-3,: finished, val 1.2 nats/char\x07"
        "\x1b]777;notify;anna-3,;finished, val 1.2 nats/char\x07"
    )
