//! What lines of one formatter begin with, kept from the last line: creation time, logger and level are most often the
//! same, but for the milliseconds.

use std::ops::Range;
use std::rc::Rc;

use duramen::formatter::Layout;
use duramen::formatter::json::{self, JsonFormatter};
use duramen::{Level, Record};

use crate::formatter::asctime::TimeText;
use crate::record::Creation;
use crate::way::settings::Settings;

/// The beginning of the last line, and what it was made from.
#[derive(Default)]
pub(crate) struct Beginning {
    /// So many pieces of the layout belong to it.
    pieces: usize,
    second: Option<i64>,
    time_version: u64,
    level: i64,
    level_name: Option<Rc<str>>,
    name: String,
    name_number: u64,
    /// The same for a formatter of JSON.
    steps: json::Beginning,
    text: Vec<u8>,
    /// Where the three digits of the milliseconds stand in it.
    fraction: Option<Range<usize>>,
}

/// What lines that begin alike come from, beside the moment.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// The logger's.
    pub(crate) name: &'a str,
    /// The same number only with the same name, or zero.
    pub(crate) name_number: u64,
    pub(crate) level: i64,
    /// The same object as long as the name of the level is the same.
    pub(crate) level_name: &'a Rc<str>,
}

impl<'a> Origin<'a> {
    fn of((record, level_name): (&Record<'a>, &'a Rc<str>)) -> Self {
        Self { name: record.name, name_number: 0, level: record.level.0, level_name }
    }
}

impl Beginning {
    /// Whether lines of the layout begin with the creation time, so that there is something to keep.
    pub(crate) fn has_time(layout: &Layout) -> bool {
        layout.place_of_time().is_some_and(|place| place < layout.count_of_beginning())
    }

    /// Appends the text of a record whose level has the name `level_name`; `None` when the interpreter has to be asked.
    #[inline]
    pub(crate) fn render(
        &mut self,
        layout: &Layout,
        time: &TimeText,
        moment: (&Creation, &Settings),
        named: (&Record<'_>, &Rc<str>),
        line: &mut Vec<u8>,
    ) -> Option<()> {
        self.put(layout, time, moment, Origin::of(named), line)?;
        layout.render_pieces(self.pieces..layout.count(), named.0, "", line).ok()
    }

    /// Appends the beginning alone.
    #[inline]
    pub(crate) fn put(
        &mut self,
        layout: &Layout,
        time: &TimeText,
        moment: (&Creation, &Settings),
        origin: Origin<'_>,
        line: &mut Vec<u8>,
    ) -> Option<()> {
        let (created, settings) = moment;
        if !self.is_of(origin, created, settings) {
            self.make(layout, time, moment, origin)?;
        }
        let start = line.len();
        line.extend_from_slice(&self.text);
        if let Some(place) = &self.fraction {
            line[start..][place.clone()].copy_from_slice(&created.digits_of_milliseconds());
        }
        Some(())
    }

    /// Appends the beginning of a line of JSON, and says what of it that is.
    pub(crate) fn put_json(
        &mut self,
        formatter: &JsonFormatter,
        (created, settings): (&Creation, &Settings),
        (record, level_name): (&Record<'_>, &Rc<str>),
        line: &mut Vec<u8>,
    ) -> json::Beginning {
        let origin = Origin::of((record, level_name));
        if !self.is_of(origin, created, settings) {
            self.second = None;
            self.text.clear();
            self.steps = formatter.begin(record, &mut self.text);
            self.belongs_to(origin, created, settings);
        }
        let start = line.len();
        line.extend_from_slice(&self.text);
        self.steps.put_microsecond(record.created_ns, &mut line[start..]);
        self.steps
    }

    #[inline]
    fn is_of(&self, origin: Origin<'_>, created: &Creation, settings: &Settings) -> bool {
        self.second == Some(created.second())
            && self.time_version == settings.time_version()
            && self.level == origin.level
            && self.level_name.as_ref().is_some_and(|name| Rc::ptr_eq(name, origin.level_name))
            && ((self.name_number == origin.name_number && origin.name_number != 0)
                || self.name == origin.name)
    }

    #[cold]
    fn make(
        &mut self,
        layout: &Layout,
        time: &TimeText,
        (created, settings): (&Creation, &Settings),
        origin: Origin<'_>,
    ) -> Option<()> {
        let record =
            &Record { level_name: origin.level_name, ..Record::new(origin.name, Level(origin.level), "") };
        let mut asctime = String::new();
        time.write_remembered(created, settings, &mut asctime)?;
        // Should something fail, there is no line that has this beginning.
        self.second = None;
        self.text.clear();
        let (pieces, place) = (layout.count_of_beginning(), layout.place_of_time()?);
        layout.render_pieces(0..place, record, &asctime, &mut self.text).ok()?;
        let end = self.text.len() + asctime.len();
        self.fraction = time.has_usual_milliseconds().then(|| end - 3..end);
        layout.render_pieces(place..pieces, record, &asctime, &mut self.text).ok()?;
        self.pieces = pieces;
        self.belongs_to(origin, created, settings);
        Some(())
    }

    fn belongs_to(&mut self, origin: Origin<'_>, created: &Creation, settings: &Settings) {
        origin.name.clone_into(&mut self.name);
        self.name_number = origin.name_number;
        self.level = origin.level;
        self.level_name = Some(Rc::clone(origin.level_name));
        self.time_version = settings.time_version();
        self.second = Some(created.second());
    }
}
