"""A hidden mark in the pixels that leads back to the stored manifest when everything around them was stripped.

A grid of cells over the picture is shifted towards blue or away from it by a level or two of 255. A quarter of the
cells carry a public pattern that says where the grid lies, the rest the id, spread by the organization's own key. It
survives ordinary transcodes, crops and resizes, nothing more: whoever holds the key can forge or remove it, a copy
without colour has lost it, and so it is a pointer to a manifest and never a proof by itself.
"""
