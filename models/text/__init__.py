"""Detectors: those that read words, with the nouns of sentences, and hands, which need none."""
