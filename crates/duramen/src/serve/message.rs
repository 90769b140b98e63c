//! From the bytes of one message to the loggers.

use std::fmt::Display;

use super::incoming::Incoming;
use super::{Receiver, pickle, syslog};
use crate::report;

impl Receiver {
    /// One datagram: a message of syslog, a length with a pickle behind it, or an object of JSON.
    pub(super) fn datagram(&mut self, bytes: &[u8], from: &dyn Display) {
        let of_length = if bytes.first() == Some(&0) { 4 } else { 0 };
        if bytes.len() > self.options.largest_message + of_length {
            self.refuse_too_large(from);
            return;
        }
        match bytes.split_first_chunk::<4>() {
            Some((length, payload)) if length[0] == 0 => {
                if usize::try_from(u32::from_be_bytes(*length)).is_ok_and(|length| length == payload.len()) {
                    self.payload(payload, from);
                } else {
                    self.refuse(from, &"the datagram is not as long as it says");
                }
            }
            _ if bytes.first() == Some(&b'<') => self.syslog(bytes, from),
            _ => self.payload(bytes, from),
        }
    }

    /// A pickle or an object of JSON.
    pub(super) fn payload(&mut self, payload: &[u8], from: &dyn Display) {
        let now_ns = self.now_ns();
        if payload.first() == Some(&b'{') {
            match Incoming::from_json(payload, now_ns) {
                Ok(record) => self.handle(&record),
                Err(error) => self.refuse(from, &error),
            }
            return;
        }
        match pickle::read(payload, self.options.largest_message) {
            Ok(unpickled) => match Incoming::from_attributes(unpickled.value, now_ns) {
                Ok(record) => {
                    self.ledger.replaced += unpickled.replaced;
                    self.handle(&record);
                }
                Err(error) => self.refuse(from, &error),
            },
            Err(error) => self.refuse(from, &error),
        }
    }

    pub(super) fn syslog(&mut self, message: &[u8], from: &dyn Display) {
        match syslog::read(message, self.now_ns()) {
            Ok(record) => self.handle(&record),
            Err(error) => self.refuse(from, &error),
        }
    }

    pub(super) fn refuse_too_large(&mut self, from: &dyn Display) {
        let largest = self.options.largest_message;
        self.refuse(from, &format_args!("the record is longer than {largest} bytes"));
    }

    fn refuse(&mut self, from: &dyn Display, reason: &dyn Display) {
        self.ledger.received += 1;
        self.ledger.refused += 1;
        report::error("serve", &format_args!("{from}: refused: {reason}"));
    }

    fn handle(&mut self, record: &Incoming<'_>) {
        self.ledger.received += 1;
        if record.with(|record| self.manager.handle(record)) {
            self.ledger.handled += 1;
        } else {
            self.ledger.below_level += 1;
        }
    }
}
