"""What programs interrupt their threads with, at moments that a signal would meet by chance."""

AT = """
class At:
    # What interrupts this thread where a function of this name is called, or returns; of a module, if there are several.
    def __init__(self, name, act, event="c_call", module=None):
        self.name, self.act, self.event, self.module = name, act, event, module
    def __enter__(self):
        sys.setprofile(self.look)
    def look(self, frame, event, called):
        name = called.__name__ if event.startswith("c_") else frame.f_code.co_name
        if (event, name) == (self.event, self.name) and self.module in (None, frame.f_globals["__name__"]):
            sys.setprofile(None)
            self.act()
    def __exit__(self, *_):
        sys.setprofile(None)
"""
