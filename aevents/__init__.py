"""Asyncio-native streaming for event cameras and other address-event data."""
