"""Turns the core's values into text, JSON and pictures for people and programs; decides nothing."""
