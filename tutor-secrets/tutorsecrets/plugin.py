"""Wiring: the secrets plugin."""

from tutorplatform.registration import register

register("tutorsecrets")
