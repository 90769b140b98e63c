"""concurrent-log-handler: a rotating file that several processes write, on logging's base handler."""

import pathlib


def test_processes_share_a_rotating_file(stack):
    completed = stack.run_source("""
        import logging
        import multiprocessing
        import recorder
        from concurrent_log_handler import ConcurrentRotatingFileHandler

        def work(child):
            handler = ConcurrentRotatingFileHandler(
                "shop.log", maxBytes=8192, backupCount=50, encoding="utf-8")
            handler.setFormatter(logging.Formatter("%(name)s|%(message)s"))
            logger = logging.getLogger(f"shop.{child}")
            logger.setLevel(logging.INFO)
            logger.addHandler(handler)
            for number in range(200):
                logger.info("order %03d %s", number, "x" * 60)

        if __name__ == "__main__":
            context = multiprocessing.get_context("spawn")
            children = [context.Process(target=work, args=(child,)) for child in range(3)]
            for child in children:
                child.start()
            for child in children:
                child.join()
            print(recorder.implementation(), [child.exitcode for child in children])
    """)
    assert completed.stdout == f"{stack.implementation} [0, 0, 0]\n"
    assert completed.stderr == ""
    files = sorted(pathlib.Path(stack.folder).glob("shop.log*"))
    assert len(files) > 3
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert sorted(lines) == sorted(
        f"shop.{child}|order {number:03d} {'x' * 60}" for child in range(3) for number in range(200)
    )
