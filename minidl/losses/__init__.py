"""Objective functions, each with its explicit gradient."""

from minidl.losses.content import content_loss
from minidl.losses.gram import gram_matrix
from minidl.losses.style import gram_loss, style_loss
from minidl.losses.total_variation import total_variation

__all__ = ["content_loss", "gram_loss", "gram_matrix", "style_loss", "total_variation"]
