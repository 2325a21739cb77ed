"""The wire languages, pure: text to core events, core commands to text."""
