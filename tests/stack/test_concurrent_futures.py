"""concurrent.futures: records of pools of threads and of processes."""

import pytest


def test_thread_pool(stack):
    completed = stack.run_source("""
        import concurrent.futures
        import logging
        import recorder

        recorder.record_to_file(format="%(levelname)s|%(name)s|%(threadName)s|%(message)s")
        logger = logging.getLogger("shop")

        def work(number):
            logger.info("order %d", number)
            return number

        def broken_callback(future):
            raise LookupError("no such shop")

        with concurrent.futures.ThreadPoolExecutor(4, "worker") as pool:
            print(sum(pool.map(work, range(200))))
            pool.submit(work, 200).add_done_callback(broken_callback)
        print(recorder.implementation())
    """)
    assert completed.stdout == f"19900\n{stack.implementation}\n"
    lines = stack.read_lines()
    orders = [line.split("|") for line in lines if "|shop|" in line]
    assert sorted(int(message.split()[1]) for *_, message in orders) == list(range(201))
    assert {thread for _, _, thread, _ in orders} <= {f"worker_{number}" for number in range(4)}
    failures = [line for line in lines if "|concurrent.futures|" in line]
    assert len(failures) == 1
    assert failures[0].startswith("ERROR|concurrent.futures|")
    assert "exception calling callback for <Future at 0x" in failures[0]
    assert lines.count("LookupError: no such shop") == 1


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_process_pool(stack, method):
    completed = stack.run_source(f"""
        import concurrent.futures
        import logging
        import multiprocessing
        import recorder

        recorder.record_to_file(format="%(levelname)s|%(name)s|%(processName)s|%(message)s")
        logger = logging.getLogger("shop")

        def work(number):
            logger.info("order %d", number)
            return recorder.implementation()

        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            with concurrent.futures.ProcessPoolExecutor(2, context) as pool:
                print(set(pool.map(work, range(50))))
            logger.info("done")
    """)
    assert completed.stdout == f"{{{stack.implementation!r}}}\n"
    lines = [line.split("|") for line in stack.read_lines()]
    assert lines.pop() == ["INFO", "shop", "MainProcess", "done"]
    orders = [(process, message) for _, name, process, message in lines if name == "shop"]
    assert sorted(int(message.split()[1]) for _, message in orders) == list(range(50))
    prefix = "ForkProcess-" if method == "fork" else "SpawnProcess-"
    assert all(process.startswith(prefix) for process, _ in orders)
