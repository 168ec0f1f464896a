"""Tests of `openapi.json`, the transcription this project was generated from."""
