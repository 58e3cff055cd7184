"""Taint: follows what clients send through the whole program, to the places where it does harm.

Every function is run once on abstract values (`values`), with its parameters left open as slots; what comes out is its
`Summary`: what it returns, which sinks its slots reach, what it proves about them. A caller fills the slots in. Where
an answer depends on a constant or a function that is passed, the callee is run again with it, a few times at most.
"""
