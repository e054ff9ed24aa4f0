"""Words: detectors that read phrases, and the nouns of sentences for them."""
