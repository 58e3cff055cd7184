"""Python source to facts: one LibCST parse, one walk that lowers the tree into the intermediate form of `form`."""
