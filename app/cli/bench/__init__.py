"""The command `bench`: a module for each thing that is measured."""
