//! Messages out of the bytes of a connection.
//!
//! Three ways to tell messages apart are understood, and the first byte of each message says which one it is: 0
//! for a length of four bytes (Python's `SocketHandler`; lengths stay below 2^24), `<` for a message of syslog that
//! ends with a NUL or a line feed, a digit for one that is counted (RFC 6587).

use std::ops::Range;

/// A length that is longer could begin with another byte than 0.
pub(super) const LARGEST: usize = (1 << 24) - 1;

/// The bytes that have come and not been taken yet.
#[derive(Default)]
pub(super) struct Frames {
    buffer: Vec<u8>,
    start: usize,
    /// So many bytes belong to a message that is too large.
    to_skip: usize,
    /// Messages of syslog end with a NUL alone: one has.
    ends_with_nul: bool,
    /// So many bytes of the message at the front have no end of a message of syslog in them.
    searched: usize,
    /// The message at the front is whole if nothing more comes soon.
    may_have_ended: bool,
}

/// Memory for bytes that has grown beyond this is given back when nothing is in it.
const LARGEST_KEPT: usize = 1 << 17;

/// What may still come behind the bytes that are there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// More may be on its way.
    Coming,
    /// Nothing has come for a while.
    Late,
    /// Nothing, as the connection has ended.
    Over,
}

/// What stands at the front of the bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Front {
    /// The payload behind a length.
    Payload(Range<usize>),
    /// A message of syslog.
    Syslog(Range<usize>),
    /// A message that is too large, which is skipped.
    TooLarge,
    /// Bytes of none of the ways; nothing behind them can be told apart.
    Foreign,
    /// More bytes have to come.
    Incomplete,
}

impl Frames {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    #[expect(clippy::indexing_slicing, reason = "`next` gave the range, of the same bytes")]
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// Whether a message has come in part.
    pub(super) fn is_within_message(&self) -> bool {
        self.to_skip == 0 && self.start < self.buffer.len()
    }

    /// Whether the message at the front is whole if nothing more comes soon.
    pub(super) fn may_have_ended(&self) -> bool {
        self.may_have_ended
    }

    /// Takes what stands at the front.
    pub(super) fn next(&mut self, largest: usize, more: Rest) -> Front {
        self.may_have_ended = false;
        self.skip();
        while matches!(self.rest().first(), Some(b'\n' | b'\r')) {
            self.start += 1;
        }
        let front = match self.rest().first() {
            None => Front::Incomplete,
            Some(0) => self.counted_by_bytes(largest),
            Some(b'<') => self.until_its_end(largest, more),
            Some(b'1'..=b'9') => self.counted_by_digits(largest),
            Some(_) => Front::Foreign,
        };
        if front == Front::Incomplete {
            // What was taken makes room.
            self.buffer.drain(..self.start);
            self.start = 0;
            if self.buffer.is_empty() {
                self.buffer.shrink_to(LARGEST_KEPT);
            }
        } else {
            self.searched = 0;
        }
        front
    }

    #[expect(clippy::indexing_slicing, reason = "no more is taken than there is")]
    fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    fn skip(&mut self) {
        let count = self.to_skip.min(self.rest().len());
        self.start += count;
        self.to_skip -= count;
    }

    fn counted_by_bytes(&mut self, largest: usize) -> Front {
        let Some(length) = self.rest().first_chunk().copied().map(u32::from_be_bytes) else {
            return Front::Incomplete;
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.counted(4, length, largest, Front::Payload)
    }

    #[expect(clippy::indexing_slicing, reason = "so many were counted there")]
    fn counted_by_digits(&mut self, largest: usize) -> Front {
        let rest = self.rest();
        let digits = rest.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
        match rest.get(digits) {
            None if digits < 9 => return Front::Incomplete,
            Some(b' ') => {}
            _ => return Front::Foreign,
        }
        let length = rest[..digits].iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
        match rest.get(digits + 1) {
            None => Front::Incomplete,
            Some(b'<') => self.counted(digits + 1, length, largest, Front::Syslog),
            Some(_) => Front::Foreign,
        }
    }

    /// A message of `length` bytes behind `head` bytes.
    fn counted(
        &mut self,
        head: usize,
        length: usize,
        largest: usize,
        front: impl Fn(Range<usize>) -> Front,
    ) -> Front {
        if length > largest {
            self.start += head;
            self.to_skip = length;
            self.skip();
            return Front::TooLarge;
        }
        if self.rest().len() - head < length {
            return Front::Incomplete;
        }
        let from = self.start + head;
        self.start = from + length;
        front(from..self.start)
    }

    /// Up to a NUL, or, where none ever came, to a line feed behind which another message begins or nothing comes: a
    /// traceback has line feeds in it, and its parts may come one by one.
    fn until_its_end(&mut self, largest: usize, more: Rest) -> Front {
        let nul = self.unsearched().iter().position(|byte| *byte == 0).map(|at| at + self.searched);
        let end = if nul.is_some() || self.ends_with_nul { nul } else { self.line_feed_at_its_end(more) };
        let length = match end {
            Some(length) => length,
            None if self.rest().len() > largest => return Front::Foreign,
            // Without a NUL it may be cut off, where the others had one.
            None if more == Rest::Over && !self.ends_with_nul => self.rest().len(),
            None => {
                // What stands behind the last two bytes decides about them.
                self.searched = self.rest().len().saturating_sub(2);
                return Front::Incomplete;
            }
        };
        self.ends_with_nul |= nul.is_some();
        let from = self.start;
        self.start = (from + length + 1).min(self.buffer.len());
        if length > largest { Front::TooLarge } else { Front::Syslog(from..from + length) }
    }

    #[expect(clippy::indexing_slicing, reason = "no more was searched than there is")]
    fn unsearched(&self) -> &[u8] {
        &self.rest()[self.searched..]
    }

    fn line_feed_at_its_end(&mut self, more: Rest) -> Option<usize> {
        let mut may_be_one = None;
        let unsearched = self.unsearched();
        let end = unsearched.iter().enumerate().find_map(|(at, byte)| {
            if *byte != b'\n' {
                return None;
            }
            match unsearched.get(at + 1..) {
                Some([b'<', b'0'..=b'9', ..]) => return Some(at),
                Some([] | [b'<']) | None => may_be_one = may_be_one.or(Some(at)),
                _ => {}
            }
            None
        });
        let is_over = more != Rest::Coming;
        self.may_have_ended = end.is_none() && may_be_one.is_some() && !is_over;
        end.or(may_be_one.filter(|_| is_over)).map(|at| at + self.searched)
    }
}

#[cfg(test)]
mod tests {
    use super::{Frames, Front, LARGEST_KEPT, Rest};

    /// A byte at a time: who looks at all that has come for each takes minutes.
    #[test]
    fn a_long_message_is_searched_once() {
        for filling in [&b"x"[..], b"\n", b"\n<"] {
            let mut frames = Frames::default();
            frames.push(b"<14>");
            for byte in filling.iter().cycle().take(1_000_000) {
                frames.push(&[*byte]);
                assert_eq!(frames.next(1 << 20, Rest::Coming), Front::Incomplete);
            }
            frames.push(b"\0");
            let Front::Syslog(range) = frames.next(1 << 20, Rest::Coming) else { panic!("it is whole") };
            assert_eq!(frames.bytes(range).len(), 1_000_004);
            assert_eq!(frames.next(1 << 20, Rest::Coming), Front::Incomplete);
            assert!(frames.buffer.capacity() <= LARGEST_KEPT, "its memory is given back");
        }
    }
}
