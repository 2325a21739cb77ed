"""Engines that hear wake words."""
