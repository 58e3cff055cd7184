"""Names, classes and values over modules: what an expression anywhere in the project stands for."""
