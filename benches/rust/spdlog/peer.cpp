// C++ spdlog, measured as the Rust packages are: `peer WAY FILE CALLS` prints a value and the memory in KiB.

#define SPDLOG_FMT_EXTERNAL
#define SPDLOG_LEVEL_NAMES {"TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "OFF"}

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <csignal>
#include <ctime>
#include <unistd.h>

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

using Clock = std::chrono::steady_clock;

// Where one thread does all the work, the processor's time counts.
static double processor_seconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

static double seconds_since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

static long peak_memory() {
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line)) {
        if (line.rfind("VmHWM:", 0) == 0) return std::strtol(line.c_str() + 6, nullptr, 10);
    }
    return 0;
}

static void log_some(spdlog::logger &log, unsigned long from, unsigned long to, const std::string &user) {
    for (unsigned long number = from; number < to; ++number) {
        log.info("request {} of {} took {} ms", number, user, number % 1000);
    }
}

int main(int count, char **arguments) {
    if (count < 4) return 2;
    const std::string way = arguments[1], file = arguments[2], user = "ada";
    const unsigned long calls = std::strtoul(arguments[3], nullptr, 10);
    const std::string end = count > 4 ? arguments[4] : "";
    const bool asynchronous = way == "async" || way == "bursts" || way == "threads-async";
    if (way == "json") return 3; // It has no formatter for JSON.
    if (way == "journaled" || way == "journaled-bursts") return 3; // Its queue does not outlive the process.
    std::shared_ptr<spdlog::logger> log;
    if (asynchronous) {
        spdlog::init_thread_pool(8192, 1);
        log = spdlog::basic_logger_mt<spdlog::async_factory>("shop.orders", file);
    } else {
        log = spdlog::basic_logger_mt("shop.orders", file);
    }
    log->set_pattern("%Y-%m-%d %H:%M:%S,%e %l %n %v");
    log->set_level(spdlog::level::info);
    if (way == "flushed" || way == "threads-flushed") log->flush_on(spdlog::level::info);
    if (!end.empty()) {
        log_some(*log, 0, calls, user);
        if (end == "kill") kill(getpid(), SIGKILL);
        if (end == "exit") std::exit(0);
        return 0;
    }
    double value = 0;
    if (way == "disabled") {
        const double begun = processor_seconds();
        for (unsigned long number = 0; number < calls; ++number) {
            log->debug("request {} of {} took {} ms", number, user, number % 1000);
        }
        value = (processor_seconds() - begun) * 1e9 / static_cast<double>(calls);
    } else if (way == "bursts") {
        std::vector<double> times;
        for (unsigned long burst = 0; burst < calls / 100; ++burst) {
            std::this_thread::sleep_for(std::chrono::microseconds(500));
            auto begun = Clock::now();
            log_some(*log, burst * 100, (burst + 1) * 100, user);
            times.push_back(seconds_since(begun) * 1e7);
        }
        std::sort(times.begin(), times.end());
        value = times[times.size() / 2];
        log.reset();
        spdlog::shutdown();
    } else {
        const unsigned long threads = way.rfind("threads", 0) == 0 ? 4 : 1;
        const bool one_thread = way == "flushed" || way == "buffered";
        const double processor_begun = processor_seconds();
        auto begun = Clock::now();
        std::vector<std::thread> all;
        for (unsigned long thread = 1; thread < threads; ++thread) {
            all.emplace_back([&, thread] { log_some(*log, thread * calls / threads, (thread + 1) * calls / threads, user); });
        }
        log_some(*log, 0, calls / threads, user);
        for (auto &thread : all) thread.join();
        log->flush();
        log.reset();
        spdlog::shutdown();
        value = static_cast<double>(calls) / (one_thread ? processor_seconds() - processor_begun : seconds_since(begun));
    }
    std::printf("%f %ld\n", value, peak_memory());
    return 0;
}
