//! The packages, one file each.

pub mod duramen;
pub mod fast_log;
pub mod fern;
pub mod flexi_logger;
pub mod ftlog;
pub mod log4rs;
pub mod logforth;
pub mod slog;
pub mod spdlog_rs;
pub mod tracing;

use std::cell::RefCell;
use std::fmt;
use std::time::SystemTime;

/// The calls of packages behind the crate `log`.
macro_rules! calls_of_log {
    () => {
        #[inline]
        fn info(&self, request: $crate::line::Request<'_>) {
            log::info!(
                target: $crate::line::LOGGER,
                "request {} of {} took {} ms", request.number, request.user, request.took
            );
        }

        #[inline]
        fn debug(&self, request: $crate::line::Request<'_>) {
            log::debug!(
                target: $crate::line::LOGGER,
                "request {} of {} took {} ms", request.number, request.user, request.took
            );
        }

        #[inline]
        fn info_with_fields(&self, request: $crate::line::Request<'_>) {
            log::info!(target: $crate::line::LOGGER, number = request.number, user = request.user; "request done");
        }
    };
}

pub(crate) use calls_of_log;

/// The time as text, for packages that leave it to the program: the second's text is kept, as the others do.
pub fn timestamp() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    timestamp_of(since_epoch.as_secs() * 1_000_000_000 + u64::from(since_epoch.subsec_nanos()))
}

/// The text of so many nanoseconds since the epoch.
pub fn timestamp_of(nanoseconds: u64) -> Timestamp {
    let second = nanoseconds / 1_000_000_000;
    let mut bytes = LAST.with(|last| {
        let mut last = last.borrow_mut();
        if last.0 != second {
            let moment = jiff::Timestamp::from_second(i64::try_from(second).unwrap_or(0)).unwrap_or_default();
            let text = moment
                .to_zoned_datetime(jiff::tz::TimeZone::system())
                .strftime("%Y-%m-%d %H:%M:%S,000")
                .to_string();
            last.1.copy_from_slice(&text.as_bytes()[..23]);
            last.0 = second;
        }
        last.1
    });
    let milliseconds = nanoseconds / 1_000_000 % 1000;
    for (place, power) in [(20, 100), (21, 10), (22, 1)] {
        bytes[place] = b'0' + u8::try_from(milliseconds / power % 10).unwrap_or(0);
    }
    Timestamp(bytes)
}

thread_local! {
    static LAST: RefCell<(u64, [u8; 23])> = const { RefCell::new((0, [0; 23])) };
}

/// `2024-03-01 12:00:00,123`.
pub struct Timestamp([u8; 23]);

impl Timestamp {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(std::str::from_utf8(&self.0).map_err(|_| fmt::Error)?)
    }
}
