"""Hands without words: MediaPipe's palm and hand-landmark models, run by torch."""
