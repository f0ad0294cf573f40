"""Wiring: the aws plugin."""

from tutorplatform.registration import register

register("tutoraws")
