"""logging_tree: it reads the tree out of `loggerDict`, placeholders included, and every handler."""


def test_printed_tree(stack):
    completed = stack.run_source("""
        import logging
        import logging.handlers
        import sys
        import logging_tree
        import recorder

        logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))
        shop = logging.getLogger("shop")
        shop.setLevel(logging.INFO)
        shop.propagate = False
        shop.addFilter(logging.Filter("shop.orders"))
        file = logging.handlers.RotatingFileHandler("shop.log", maxBytes=100, backupCount=2)
        file.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        shop.addHandler(logging.handlers.MemoryHandler(10, target=file))
        logging.getLogger("library.part.detail").disabled = True
        logging_tree.printout()
        print(recorder.implementation())
    """)
    *tree, implementation = completed.stdout.splitlines()
    assert implementation == stack.implementation
    path = str(stack.folder / "shop.log")
    assert tree == [
        '<--""',
        "   Level WARNING",
        "   Handler Stream <_io.TextIOWrapper name='<stdout>' mode='w' encoding='utf-8'>",
        "   |",
        "   o<--[library]",
        "   |   |",
        "   |   o<--[library.part]",
        "   |       |",
        '   |       o<--"library.part.detail"',
        "   |           Level NOTSET so inherits level WARNING",
        "   |           Disabled",
        "   |",
        '   o   "shop"',
        "       Level INFO",
        "       Propagate OFF",
        "       Filter name='shop.orders'",
        "       Handler Memory capacity=10",
        "         Flushes output to:",
        f"           Handler RotatingFile '{path}' maxBytes=100 backupCount=2",
        "             Formatter fmt='%(levelname)s %(message)s' datefmt=None",
    ]
