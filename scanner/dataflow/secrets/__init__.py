"""What becomes of secrets: digests, random values, passwords of logins, credentials in the code.

`subjects` hands the model what the other modules find. What a value is for is told by names: those that it is given on
its way (`destinations`), those of what it is made of (`ingredients`), and what the words in them mean (`names`).
"""
