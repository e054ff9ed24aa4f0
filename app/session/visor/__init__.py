"""What VISOR has beside masks: attributes, subsequences, rules and dense runs of what is open."""
