//! Records that wait: their numbers in one list, their texts in one string, both of which are used again. A record that
//! comes or goes allocates nothing once they have grown as large as they have to be.

use std::collections::VecDeque;

use smallvec::SmallVec;

use super::waiting::{Accepts, Waiting};
use crate::append::{Appender, append_parts};
use crate::record::Caller;
use crate::{Level, Record, Value};

/// So many records share their memory at most. It is used again when the last of them has been delivered.
const PER_BLOCK: usize = 256;
/// A block that has this much text takes no more.
const FULL: usize = 256 * 1024;
/// Blocks without records that are kept; what has grown beyond [`FULL`] is not.
const MOST_SPARE: usize = 64;

/// Records in the order in which they came.
#[derive(Default)]
pub(crate) struct Records {
    /// None of them is empty.
    blocks: VecDeque<Block>,
    spare: Vec<Block>,
    count: usize,
    bytes: usize,
}

#[derive(Default)]
struct Block {
    heads: Vec<Head>,
    /// So many of the first ones have left.
    left: usize,
    texts: String,
    fields: Vec<Field>,
}

/// What is not text, and the lengths of the texts, which stand one behind the other in the block.
struct Head {
    level: Level,
    created_ns: i64,
    relative_created_ms: f64,
    line: u32,
    process: Option<u32>,
    thread: Option<u64>,
    /// The first of its fields in the block, and how many they are.
    fields: usize,
    field_count: usize,
    /// Where the first text begins.
    start: usize,
    name: usize,
    level_name: usize,
    message: usize,
    pathname: usize,
    function: usize,
    /// These may be missing: [`MISSING`].
    thread_name: usize,
    process_name: usize,
    task_name: usize,
    exception: usize,
    stack: usize,
    /// Where the name of the file, and the part of it before its ending, begin and end: usually within the path.
    filename: (usize, usize),
    module: (usize, usize),
}

/// The length of a text that there is not.
const MISSING: usize = usize::MAX;

struct Field {
    key: (usize, usize),
    value: FieldValue,
}

impl Field {
    fn of(key: &str, value: &Value<'_>, texts: &mut Texts<'_, '_>) -> Self {
        let key = texts.placed(key);
        let value = match value {
            Value::Text(text) => {
                let (start, end) = texts.placed(text);
                FieldValue::Text(start, end)
            }
            Value::BigInteger(digits) => {
                let (start, end) = texts.placed(digits);
                FieldValue::BigInteger(start, end)
            }
            other => FieldValue::Other(other.clone().into_owned()),
        };
        Self { key, value }
    }
}

/// The texts of a block, while those of one record are appended.
struct Texts<'p, 't> {
    parts: &'p mut Appender<'t>,
    end: usize,
}

impl Texts<'_, '_> {
    /// Appends a text, and gives its length.
    #[inline]
    fn text(&mut self, text: &str) -> usize {
        self.parts.text(text);
        self.end += text.len();
        text.len()
    }

    #[inline]
    fn optional(&mut self, text: Option<&str>) -> usize {
        text.map_or(MISSING, |text| self.text(text))
    }

    /// Appends a text, and gives where it begins and ends.
    fn placed(&mut self, text: &str) -> (usize, usize) {
        let begin = self.end;
        (begin, begin + self.text(text))
    }
}

enum FieldValue {
    Text(usize, usize),
    BigInteger(usize, usize),
    /// Borrows nothing.
    Other(Value<'static>),
}

impl Block {
    fn len(&self) -> usize {
        self.heads.len() - self.left
    }

    /// The bytes of the texts of those that have not left.
    fn bytes(&self) -> usize {
        self.heads.get(self.left).map_or(0, |first| self.texts.len() - first.start)
    }

    fn has_room(&self) -> bool {
        self.heads.len() < PER_BLOCK && self.texts.len() < FULL
    }

    fn clear(&mut self) {
        self.heads.clear();
        self.fields.clear();
        self.texts.clear();
        self.left = 0;
    }

    #[inline]
    fn push(&mut self, record: &Record<'_>) {
        let caller = &record.caller;
        let start = self.texts.len();
        let first_field = self.fields.len();
        let Self { texts, fields, .. } = self;
        let head = append_parts(texts, |parts| {
            let mut texts = Texts { end: start, parts };
            let (name, level_name) = (texts.text(record.name), texts.text(record.level_name));
            let message = texts.text(record.message);
            let path = (texts.end, caller.pathname);
            let (pathname, function) = (texts.text(caller.pathname), texts.text(caller.function));
            let thread_name = texts.optional(record.thread_name);
            let process_name = texts.optional(record.process_name);
            let task_name = texts.optional(record.task_name);
            let (exception, stack) = (texts.optional(record.exception), texts.optional(record.stack));
            let filename = within(path, caller.filename).unwrap_or_else(|| texts.placed(caller.filename));
            let module = within(path, caller.module).unwrap_or_else(|| texts.placed(caller.module));
            for (key, value) in record.fields {
                fields.push(Field::of(key, value, &mut texts));
            }
            Head {
                level: record.level,
                created_ns: record.created_ns,
                relative_created_ms: record.relative_created_ms,
                line: caller.line,
                process: record.process,
                thread: record.thread,
                fields: first_field,
                field_count: record.fields.len(),
                start,
                name,
                level_name,
                message,
                pathname,
                function,
                thread_name,
                process_name,
                task_name,
                exception,
                stack,
                filename,
                module,
            }
        });
        self.heads.push(head);
    }

    fn slice(&self, (begin, end): (usize, usize)) -> &str {
        self.texts.get(begin..end).unwrap_or_default()
    }

    /// The fields of the record that `head` begins.
    fn fields(&self, head: &Head) -> SmallVec<[(&str, Value<'_>); 16]> {
        let own = self.fields.get(head.fields..head.fields + head.field_count).unwrap_or_default();
        let fields = own.iter().map(|field| {
            let value = match &field.value {
                FieldValue::Text(begin, end) => Value::Text(self.slice((*begin, *end)).into()),
                FieldValue::BigInteger(begin, end) => Value::BigInteger(self.slice((*begin, *end)).into()),
                FieldValue::Other(value) => value.borrowed(),
            };
            (self.slice(field.key), value)
        });
        fields.collect()
    }

    /// Calls `use_record` with the record that `head` begins.
    #[inline]
    fn with<R>(&self, head: &Head, use_record: impl FnOnce(&Record<'_>) -> R) -> R {
        let fields = if head.field_count == 0 { SmallVec::new() } else { self.fields(head) };
        let mut rest = self.texts.get(head.start..).unwrap_or_default();
        let mut text = |length| {
            let (text, behind) = rest.split_at_checked(length).unwrap_or_default();
            rest = behind;
            text
        };
        let (name, level_name, message) = (text(head.name), text(head.level_name), text(head.message));
        let (pathname, function) = (text(head.pathname), text(head.function));
        let mut optional = |length| (length != MISSING).then(|| text(length));
        let (thread_name, process_name) = (optional(head.thread_name), optional(head.process_name));
        let (task_name, exception) = (optional(head.task_name), optional(head.exception));
        let stack = optional(head.stack);
        use_record(&Record {
            name,
            level: head.level,
            level_name,
            message,
            created_ns: head.created_ns,
            relative_created_ms: head.relative_created_ms,
            caller: Caller {
                pathname,
                filename: self.slice(head.filename),
                module: self.slice(head.module),
                line: head.line,
                function,
            },
            thread: head.thread,
            thread_name,
            process: head.process,
            process_name,
            task_name,
            fields: &fields,
            exception,
            stack,
        })
    }
}

/// Where `part` stands in the texts, if it is a part of the path itself, which begins there at `path.0`.
#[inline]
fn within(path: (usize, &str), part: &str) -> Option<(usize, usize)> {
    let offset = part.as_ptr().addr().checked_sub(path.1.as_ptr().addr())?;
    (offset + part.len() <= path.1.len()).then(|| (path.0 + offset, path.0 + offset + part.len()))
}

impl Records {
    /// Calls `use_record` with the first record, and lets go of it; `None` where there is none. While it runs, the record
    /// counts as gone.
    pub(crate) fn next<R>(&mut self, use_record: impl FnOnce(&Record<'_>) -> R) -> Option<R> {
        let block = self.blocks.front_mut()?;
        let place = block.left;
        block.heads.get(place)?;
        let before = block.bytes();
        block.left += 1;
        self.bytes -= before - block.bytes();
        self.count -= 1;
        let guard = Emptied(self);
        let block = guard.0.blocks.front()?;
        let head = block.heads.get(place)?;
        Some(block.with(head, use_record))
    }

    #[expect(clippy::indexing_slicing, reason = "it has one at least")]
    fn block(&mut self) -> &mut Block {
        if !self.blocks.back().is_some_and(Block::has_room) {
            let fresh = self.spare.pop().unwrap_or_default();
            self.blocks.push_back(fresh);
        }
        let last = self.blocks.len() - 1;
        &mut self.blocks[last]
    }

    /// Takes blocks without records out at the front, and keeps them.
    fn let_go(&mut self) {
        while self.blocks.front().is_some_and(|block| block.len() == 0) {
            let Some(mut block) = self.blocks.pop_front() else { return };
            if self.spare.len() < MOST_SPARE && block.texts.capacity() <= 2 * FULL {
                block.clear();
                self.spare.push(block);
            }
        }
    }
}

/// A block whose last record has been used is let go of, by a panic too.
struct Emptied<'r>(&'r mut Records);

impl Drop for Emptied<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.0.blocks.front().is_some_and(|block| block.len() == 0) {
            self.0.let_go();
        }
    }
}

impl Waiting for Records {
    /// Its memory is used again.
    type Evicted = ();

    fn count(&self) -> usize {
        self.count
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn evict(&mut self) -> Option<()> {
        self.next(|_| ())
    }

    fn take(&mut self, most: usize, batch: &mut Self) {
        self.spare.append(&mut batch.spare);
        self.spare.truncate(MOST_SPARE);
        while let Some(block) = self.blocks.front_mut() {
            let count = block.len();
            if batch.count + count > most {
                // Less than a block is wanted: its records are copied one by one.
                let wanted = if batch.count == 0 { most.max(1) } else { 0 };
                while batch.count < wanted && self.next(|record| batch.accept(record).is_ok()).is_some() {}
                return;
            }
            let Some(block) = self.blocks.pop_front() else { return };
            self.count -= count;
            batch.count += count;
            self.bytes -= block.bytes();
            batch.bytes += block.bytes();
            batch.blocks.push_back(block);
        }
    }

    fn give_back(&mut self, batch: &mut Self) {
        while let Some(block) = batch.blocks.pop_back() {
            self.count += block.len();
            self.bytes += block.bytes();
            self.blocks.push_front(block);
        }
        (batch.count, batch.bytes) = (0, 0);
    }

    fn clear(&mut self) {
        for block in &mut self.blocks {
            block.left = block.heads.len();
        }
        (self.count, self.bytes) = (0, 0);
        self.let_go();
    }
}

impl<'r> Accepts<&'r Record<'r>> for Records {
    fn accept(&mut self, record: &'r Record<'r>) -> Result<(), &'r Record<'r>> {
        let block = self.block();
        let before = block.texts.len();
        block.push(record);
        let more = block.texts.len() - before;
        self.bytes += more;
        self.count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{FULL, Records};
    use crate::queue::{Accepts as _, Waiting as _};
    use crate::record::Caller;
    use crate::{Level, Record, Value};

    fn record<'r>(message: &'r str, fields: &'r [(&'r str, Value<'r>)]) -> Record<'r> {
        Record {
            name: "shop.orders",
            level: Level::WARNING,
            level_name: "WARNING",
            message,
            created_ns: 1_709_294_400_123_456_789,
            relative_created_ms: 1.5,
            caller: Caller::of_source("src/orders/é.rs", 7, "shop::orders"),
            thread: Some(5),
            thread_name: Some("main"),
            process: None,
            process_name: Some("worker"),
            task_name: None,
            fields,
            exception: Some("it broke\nhere"),
            stack: Some(""),
        }
    }

    fn texts(records: &mut Records) -> Vec<String> {
        std::iter::from_fn(|| records.next(|record| format!("{record:?}"))).collect()
    }

    #[test]
    fn a_record_comes_out_as_it_was() {
        let nested = Value::List(vec![Value::Text("ü".into()), Value::Null]);
        let big = Value::BigInteger("123456789012345678901".into());
        let fields =
            [("user", Value::Text("ada".into())), ("big", big), ("", nested), ("n", Value::Integer(-1))];
        let one = record("got €5", &fields);
        // Names that are no part of the path, as records of other languages may have them.
        let caller = Caller { filename: "other.py", module: "other", ..one.caller };
        let two = Record { caller, exception: None, fields: &[], ..one.clone() };
        let mut records = Records::default();
        for record in [&one, &two] {
            assert!(records.accept(record).is_ok());
        }
        assert_eq!(texts(&mut records), [format!("{one:?}"), format!("{two:?}")]);
        assert_eq!((records.count(), records.bytes()), (0, 0));
    }

    #[test]
    fn batches_keep_the_order_and_the_counts() {
        let mut records = Records::default();
        let message = |number: u32| format!("record {number}");
        (0..1000).for_each(|number| assert!(records.accept(&record(&message(number), &[])).is_ok()));
        let all = records.bytes();
        let mut batch = Records::default();
        records.evict();
        records.take(300, &mut batch);
        assert_eq!((batch.count(), records.count()), (255, 744), "whole blocks");
        batch.next(|first| assert_eq!(first.message, "record 1"));
        records.give_back(&mut batch);
        records.take(3, &mut batch);
        assert_eq!((batch.count(), records.count()), (3, 995));
        assert_eq!(records.bytes() + batch.bytes() + 2 * record("record 0", &[]).texts(), all);
        batch.next(|first| assert_eq!(first.message, "record 2"));
        batch.clear();
        assert_eq!(batch.bytes(), 0);
        let mut number = 5;
        while records.next(|record| assert_eq!(record.message, message(number))).is_some() {
            number += 1;
        }
        assert_eq!((number, records.bytes()), (1000, 0));
    }

    #[test]
    fn a_large_record_is_not_kept_in_memory() {
        let mut records = Records::default();
        assert!(records.accept(&record(&"x".repeat(10 * FULL), &[])).is_ok());
        records.evict();
        assert!(records.spare.is_empty() && records.blocks.is_empty());
    }

    impl Record<'_> {
        /// The bytes of its texts, those of the file's names within its path aside.
        fn texts(&self) -> usize {
            let optional = [self.thread_name, self.process_name, self.task_name, self.exception, self.stack];
            let all = [self.name, self.level_name, self.message, self.caller.pathname, self.caller.function];
            all.iter().chain(optional.iter().flatten()).map(|text| text.len()).sum()
        }
    }
}
