"""Drivers of cameras: each finds, opens and configures those of one maker."""
