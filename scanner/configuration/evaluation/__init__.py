"""What expressions come to in production, worked out by reading: nothing is run.

`expressions` begins, and asks the others for what they know: `names`, `calls`, `mappings`, `settings` of frameworks,
and the `branches` that production takes.
"""
