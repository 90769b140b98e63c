//! The compiled form of a layout: what `%`, `{` and `$` formats become once, so that rendering a record
//! is a walk over a list.
//!
//! A layout renders to the same text as CPython renders the format it was compiled from, with the
//! record's fields as values. What cannot be promised to be the same is refused when it is compiled.

use std::ops::Range;

use super::conversion::{Conversion, FieldValue, Kind};
use super::extra_field::{Defaults, ExtraField};
use crate::Record;
use crate::append::append;

/// A field of a record, by the name that Python's `LogRecord` gives it.
///
/// ```
/// use duramen::formatter::Field;
///
/// assert_eq!(Field::by_name("levelname"), Some(Field::Levelname));
/// assert_eq!(Field::by_name("user_id"), None); // an extra field
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `name`: the logger's name.
    Name,
    /// `levelno`: the level as a number.
    Levelno,
    /// `levelname`: the level's name.
    Levelname,
    /// `pathname`: full path of the source file.
    Pathname,
    /// `filename`: last part of the path.
    Filename,
    /// `module`: the file name without its ending.
    Module,
    /// `lineno`: line number.
    Lineno,
    /// `funcName`: name of the function.
    FuncName,
    /// `created`: seconds since the Unix epoch, as a floating-point number.
    Created,
    /// `asctime`: the creation time as text.
    Asctime,
    /// `msecs`: the milliseconds of the creation time, as a floating-point number.
    Msecs,
    /// `relativeCreated`: milliseconds since logging began, as a floating-point number.
    RelativeCreated,
    /// `thread`: identifier of the thread.
    Thread,
    /// `threadName`: name of the thread.
    ThreadName,
    /// `process`: identifier of the process.
    Process,
    /// `processName`: name of the process.
    ProcessName,
    /// `taskName`: name of the asynchronous task.
    TaskName,
    /// `message`: the message with its arguments.
    Message,
}

impl Field {
    /// The field that Python calls `name`, if the record has it.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "name" => Self::Name,
            "levelno" => Self::Levelno,
            "levelname" => Self::Levelname,
            "pathname" => Self::Pathname,
            "filename" => Self::Filename,
            "module" => Self::Module,
            "lineno" => Self::Lineno,
            "funcName" => Self::FuncName,
            "created" => Self::Created,
            "asctime" => Self::Asctime,
            "msecs" => Self::Msecs,
            "relativeCreated" => Self::RelativeCreated,
            "thread" => Self::Thread,
            "threadName" => Self::ThreadName,
            "process" => Self::Process,
            "processName" => Self::ProcessName,
            "taskName" => Self::TaskName,
            "message" => Self::Message,
            _ => return None,
        })
    }

    /// What kind of value the field holds, when it holds one.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Levelno | Self::Lineno | Self::Thread | Self::Process => Kind::Integer,
            Self::Created | Self::Msecs | Self::RelativeCreated => Kind::Float,
            _ => Kind::Text,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "Python holds these as floating-point numbers too")]
    fn value<'r>(self, record: &'r Record<'_>, asctime: &'r str) -> FieldValue<'r> {
        match self {
            Self::Levelno => FieldValue::Integer(record.level.0),
            Self::Lineno => FieldValue::Integer(record.caller.line.into()),
            // As CPython 3.13 divides it.
            Self::Created => FieldValue::Float(record.created_ns as f64 / 1e9),
            Self::Msecs => FieldValue::Float(f64::from(record.milliseconds())),
            Self::RelativeCreated => FieldValue::Float(record.relative_created_ms),
            Self::Thread => record.thread.map_or(FieldValue::None, |thread| {
                i64::try_from(thread).map_or(FieldValue::Unrenderable, FieldValue::Integer)
            }),
            Self::Process => record.process.map_or(FieldValue::None, |id| FieldValue::Integer(id.into())),
            _ => self.text(record, asctime).map_or(FieldValue::None, FieldValue::Text),
        }
    }

    /// The text in a field of that kind; `None` where the record has none. A call, since inlined into a loop all fields would
    /// be loaded before it.
    #[inline(never)]
    fn text<'r>(self, record: &'r Record<'_>, asctime: &'r str) -> Option<&'r str> {
        match self {
            Self::Name => Some(record.name),
            Self::Levelname => Some(record.level_name),
            Self::Pathname => Some(record.caller.pathname),
            Self::Filename => Some(record.caller.filename),
            Self::Module => Some(record.caller.module),
            Self::FuncName => Some(record.caller.function),
            Self::Asctime => Some(asctime),
            Self::ThreadName => record.thread_name,
            Self::ProcessName => record.process_name,
            Self::TaskName => record.task_name,
            Self::Message => Some(record.message),
            _ => None,
        }
    }
}

#[derive(Debug)]
enum Piece {
    Literal(String),
    /// A literal of one character of ASCII.
    Byte(u8),
    /// A field that holds text or nothing, shown as it is.
    Text(Field),
    Field(Field, Conversion),
    Extra(Box<ExtraField>),
}

/// A format that is only rendered exactly by the interpreter, or not at all.
///
/// ```
/// use duramen::formatter::{UnsupportedLayout, percent};
///
/// assert_eq!(percent::compile("%(message)s %").unwrap_err(), UnsupportedLayout);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the format is wrong, or one that only Python renders")]
pub struct UnsupportedLayout;

/// A compiled layout.
///
/// ```
/// use duramen::formatter::{Field, percent};
///
/// let layout = percent::compile("%(levelname)s %(message)s").unwrap();
/// assert!(layout.uses(Field::Message) && !layout.uses(Field::Asctime));
/// ```
///
/// What it renders, all at once or piece by piece:
///
/// ```
/// use duramen::formatter::{Field, percent};
/// use duramen::{Level, Record};
///
/// let layout = percent::compile("%(asctime)s %(levelname)s %(message)s").unwrap();
/// let record = Record::new("app", Level::INFO, "hello");
/// let mut text = Vec::new();
/// layout.render(&record, "12:00:00", &mut text).unwrap();
/// assert_eq!(text, b"12:00:00 INFO hello");
///
/// // Time, space, level, space: the same for other records of this level and time.
/// assert_eq!((layout.count(), layout.count_of_beginning(), layout.place_of_time()), (5, 4, Some(0)));
/// text.clear();
/// layout.render_pieces(4..layout.count(), &record, "12:00:00", &mut text).unwrap();
/// assert_eq!(text, b"hello");
/// assert!(percent::compile("%(message)s").unwrap().is_message());
/// assert_eq!(Field::by_name("levelname"), Some(Field::Levelname));
/// ```
#[derive(Debug, Default)]
pub struct Layout {
    pieces: Vec<Piece>,
    used: u32,
}

impl Layout {
    pub(super) fn push_literal(&mut self, text: &str) {
        let before = match self.pieces.last() {
            Some(Piece::Literal(_) | Piece::Byte(_)) => self.pieces.pop(),
            _ => None,
        };
        let mut whole = match before {
            Some(Piece::Literal(before)) => before,
            Some(Piece::Byte(before)) => char::from(before).to_string(),
            _ => String::new(),
        };
        whole.push_str(text);
        match whole.as_bytes() {
            [] => {}
            [byte] => self.pieces.push(Piece::Byte(*byte)),
            _ => self.pieces.push(Piece::Literal(whole)),
        }
    }

    pub(super) fn push_field(&mut self, field: Field, conversion: Conversion) {
        self.used |= 1 << field as u32;
        let is_plain = field.kind() == Kind::Text && conversion == Conversion::default();
        self.pieces.push(if is_plain { Piece::Text(field) } else { Piece::Field(field, conversion) });
    }

    /// Adds the record's own field `name`, or the extra field that `defaults` allow, as `conversion` writes the kind of value
    /// that it holds.
    pub(super) fn push_named(
        &mut self,
        name: &str,
        defaults: Defaults<'_>,
        conversion: impl Fn(Kind) -> Result<Conversion, UnsupportedLayout>,
    ) -> Result<(), UnsupportedLayout> {
        if let Some(field) = Field::by_name(name) {
            self.push_field(field, conversion(field.kind())?);
        } else {
            let default = defaults.get(name)?;
            self.pieces.push(Piece::Extra(Box::new(ExtraField::new(name, default, conversion)?)));
        }
        Ok(())
    }

    /// How many pieces there are.
    pub fn count(&self) -> usize {
        self.pieces.len()
    }

    /// So many pieces at the beginning show nothing but the creation time, once, the logger's name and the level's:
    /// lines of the same moment often have them in common. None, where a later piece shows the time again.
    pub fn count_of_beginning(&self) -> usize {
        let mut shows_time = false;
        let belongs = |piece: &&Piece| match piece {
            Piece::Text(Field::Asctime) => !std::mem::replace(&mut shows_time, true),
            Piece::Literal(_) | Piece::Byte(_) | Piece::Text(Field::Name | Field::Levelname) => true,
            _ => false,
        };
        let count = self.pieces.iter().take_while(belongs).count();
        let shows_time_again = self
            .pieces
            .iter()
            .skip(count)
            .any(|piece| matches!(piece, Piece::Text(Field::Asctime) | Piece::Field(Field::Asctime, _)));
        if shows_time && shows_time_again { 0 } else { count }
    }

    /// Which piece is the first that shows the creation time as it is.
    pub fn place_of_time(&self) -> Option<usize> {
        self.pieces.iter().position(|piece| matches!(piece, Piece::Text(Field::Asctime)))
    }

    /// Whether the layout is the message and nothing else.
    pub fn is_message(&self) -> bool {
        self.is_message_from(0)
    }

    /// Whether the piece of this number is the message, and the last.
    pub(super) fn is_message_from(&self, number: usize) -> bool {
        matches!(self.pieces.get(number..), Some([Piece::Text(Field::Message)]))
    }

    /// Whether the piece of this number is the message as it is, and no other shows it.
    ///
    /// ```
    /// let layout = duramen::formatter::percent::compile("%(levelname)s %(message)s %(lineno)d").unwrap();
    /// assert!(layout.has_message_at(2) && !layout.has_message_at(0));
    /// ```
    pub fn has_message_at(&self, number: usize) -> bool {
        let shows_message =
            |piece: &Piece| matches!(piece, Piece::Text(Field::Message) | Piece::Field(Field::Message, _));
        matches!(self.pieces.get(number), Some(Piece::Text(Field::Message)))
            && self.pieces.iter().filter(|piece| shows_message(piece)).count() == 1
    }

    /// The names of the extra fields that the layout shows, which [`Record::fields`] holds.
    ///
    /// ```
    /// let layout = duramen::formatter::percent::compile_with_extra("%(user)s %(message)s").unwrap();
    /// assert!(layout.extra_names().eq(["user"]));
    /// ```
    pub fn extra_names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Extra(field) => Some(&*field.name),
            _ => None,
        })
    }

    /// Whether the layout shows `field`.
    pub fn uses(&self, field: Field) -> bool {
        self.used & (1 << field as u32) != 0
    }

    /// Appends the text of `record` to `out`. `asctime` is its creation time as text, for layouts that
    /// show it.
    ///
    /// # Errors
    /// When a value cannot be rendered as CPython would, such as an absent thread with `%d`; `out` is
    /// then as it was.
    pub fn render(
        &self,
        record: &Record<'_>,
        asctime: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), UnsupportedLayout> {
        self.render_pieces(0..self.pieces.len(), record, asctime, out)
    }

    /// Appends what these of the pieces show, as [`Layout::render`] does all of them.
    ///
    /// # Errors
    /// As for [`Layout::render`].
    pub fn render_pieces(
        &self,
        pieces: Range<usize>,
        record: &Record<'_>,
        asctime: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), UnsupportedLayout> {
        let start = out.len();
        for piece in self.pieces.get(pieces).unwrap_or_default() {
            match piece {
                Piece::Literal(text) => append(out, text.as_bytes()),
                Piece::Byte(byte) => out.push(*byte),
                Piece::Text(field) => {
                    append(out, field.text(record, asctime).unwrap_or("None").as_bytes());
                }
                Piece::Field(..) | Piece::Extra(_) => {
                    if let Err(error) = piece.convert(record, asctime, out) {
                        out.truncate(start);
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }
}

impl Piece {
    /// Appends a field that has to be converted. A function of its own, so that layouts without such fields do not pay for
    /// the room that conversions need.
    #[inline(never)]
    fn convert(
        &self,
        record: &Record<'_>,
        asctime: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), UnsupportedLayout> {
        match self {
            Self::Field(field, conversion) => conversion.write(&field.value(record, asctime), out),
            Self::Extra(field) => field.write(record, out),
            Self::Literal(_) | Self::Byte(_) | Self::Text(_) => Ok(()),
        }
    }
}
