"""The inputs of the studio, and what it makes of them undisturbed."""

from segment_studio import inputs, whole

__all__ = ["inputs", "whole"]
