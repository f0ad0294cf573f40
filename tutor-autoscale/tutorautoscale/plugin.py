"""Wiring: the autoscale plugin."""

from tutorplatform.registration import register

register("tutorautoscale")
