"""IPTC DigitalSourceType in the file's XMP: what platforms that read no manifest read instead.

Written before signing: the signature covers it.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import containers, digest, source_types

TOOL = "XMP check 1"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
SOURCE_TYPE = IPTC + "DigitalSourceType"
EMPTY = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF[1:-1]}"/></x:xmpmeta>'
START = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
END = b'<?xpacket end="w"?>'

NAMES = {
    "x": "adobe:ns:meta/",
    "rdf": RDF[1:-1],
    "Iptc4xmpExt": IPTC[1:-1],
    "TC260": "http://www.tc260.org.cn/ns/AIGC/1.0/",
}
for _prefix, _uri in NAMES.items():
    ElementTree.register_namespace(_prefix, _uri)


def write(media: Path, source_type: str) -> None:
    """Says so in an MP4, JPEG or PNG, and keeps what else its XMP says."""
    if source_type not in source_types.AI:
        raise Invalid(f"{source_type} does not say that media was made by AI.")
    put(media, SOURCE_TYPE, source_type)


def read(media: Path) -> str | None:
    """None when the file says nothing. Raises Invalid when it cannot be read or says two things."""
    said = values(media, SOURCE_TYPE)
    if len(said) > 1:
        raise Invalid("The XMP names more than one source type: " + ", ".join(sorted(said)) + ".")
    return said.pop() if said else None


def put(media: Path, name: str, value: str) -> None:
    """Sets one property, whose `name` is "{namespace}Word", and keeps the others."""
    container = containers.of(media)
    tree = _parse(next(iter(container.packets(media)), EMPTY.encode()))
    descriptions = list(tree.iter(RDF + "Description"))
    for description in descriptions:
        description.attrib.pop(name, None)
        for said in description.findall(name):
            description.remove(said)
    if not descriptions:
        rdf = next(tree.iter(RDF + "RDF"))
        descriptions = [ElementTree.SubElement(rdf, RDF + "Description", {RDF + "about": ""})]
    # as an element: that is the form the readers of the AIGC tag look for
    ElementTree.SubElement(descriptions[0], name).text = value
    container.put(media, START + ElementTree.tostring(tree) + END)


def values(media: Path, name: str) -> set[str]:
    """All that the file's packets say under that name. Raises Invalid when one cannot be read."""
    return {value for packet in containers.of(media).packets(media) for value in _said(_parse(packet), name)}


def measure(media: Path, *, subject: str | None = None) -> Evidence:
    """`subject` is the file's SHA-256 if already known. Never raises for what is wrong with the file."""
    subject = digest.of_file(media) if subject is None else subject
    try:
        said = read(media)
    except Invalid as problem:
        return Evidence(Mark.xmp, False, problem.message, TOOL, subject)
    except OSError as problem:
        return Evidence(Mark.xmp, False, f"The file cannot be read: {problem.strerror}.", TOOL, subject)
    if said is None:
        return Evidence(Mark.xmp, False, "No source type in the file's XMP.", TOOL, subject)
    word = said.rpartition("/")[2]
    if said not in source_types.AI:
        return Evidence(Mark.xmp, False, f"The XMP says {word}, which is not AI.", TOOL, subject)
    return Evidence(Mark.xmp, True, word, TOOL, subject, {"source_type": said})


def _parse(packet: bytes) -> ElementTree.Element:
    if b"<!DOCTYPE" in packet:
        raise Invalid("The file's XMP is not plain XMP.")
    try:
        tree = ElementTree.fromstring(packet.strip(b"\0 \r\n\t"))  # noqa: S314  # no entities get this far
    except ElementTree.ParseError as problem:
        raise Invalid(f"The file's XMP cannot be read: {problem}.") from problem
    if tree.find(f".//{RDF}RDF") is None and tree.tag != RDF + "RDF":
        raise Invalid("The file's XMP is empty.")
    return tree


def _said(tree: ElementTree.Element, name: str) -> Iterator[str]:
    """The property may be an attribute, an element's text or its rdf:resource."""
    for description in tree.iter(RDF + "Description"):
        if name in description.attrib:
            yield description.attrib[name]
        for element in description.findall(name):
            yield element.get(RDF + "resource") or (element.text or "").strip()
