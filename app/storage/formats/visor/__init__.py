"""The EPIC-KITCHENS VISOR format: its JSON files read, written and checked without loss.

Source: Darkhalil et al., "EPIC-KITCHENS VISOR Benchmark" (NeurIPS 2022), and the behaviour of the
authors' published readers and converters.
"""
