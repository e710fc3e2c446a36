from avatar_scheduler.studio.speech.onnx_tap import tap


def test_appends_a_graph_output_of_that_name() -> None:
    # ModelProto.graph (7) holding GraphProto.output (12) holding ValueInfoProto.name (1).
    assert tap(b"model", "/x") == b"model" + b"\x3a\x06\x62\x04\x0a\x02/x"


def test_long_names_get_a_length_of_two_bytes() -> None:
    assert tap(b"", "n" * 200).endswith(b"\x0a\xc8\x01" + b"n" * 200)
