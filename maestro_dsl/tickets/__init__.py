"""Delivers tickets to JIRA Cloud, GitHub or a webhook. Who opens them, and why, is the engine's affair."""
