"""IPTC's words for how media came to be, the ones that say AI (cv.iptc.org/newscodes/digitalsourcetype)."""

_VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"

TRAINED = _VOCABULARY + "trainedAlgorithmicMedia"
"""Wholly made by a model: our avatars and voices."""
COMPOSITE = _VOCABULARY + "compositeWithTrainedAlgorithmicMedia"
"""Partly: recorded footage with an AI face or voice, or drawings laid over a render."""
AI = frozenset({TRAINED, COMPOSITE})
"""Anything else, known or unknown, does not say that this is AI."""
SYNTHETIC = AI | {_VOCABULARY + "algorithmicMedia"}
"""No camera saw it, whether or not a model was trained for it."""
