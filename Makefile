.PHONY: demo test check conformance
