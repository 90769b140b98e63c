//! Levels: how severe a record is, and what the levels are called.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

/// The severity of a record: any integer, with names for the usual ones.
///
/// Larger is more severe. `NOTSET` (0) on a logger means "ask the parent", on a handler "take all".
///
/// ```
/// use duramen::Level;
///
/// const NOTICE: Level = Level(25);
/// assert!(Level::INFO < NOTICE && NOTICE < Level::WARNING);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(pub i64);

impl Level {
    /// Not set: a logger with this level takes its parent's.
    pub const NOTSET: Level = Level(0);
    /// Detail for somebody who looks for a fault.
    pub const DEBUG: Level = Level(10);
    /// Normal operation.
    pub const INFO: Level = Level(20);
    /// Something unexpected; the program goes on.
    pub const WARNING: Level = Level(30);
    /// An operation failed.
    pub const ERROR: Level = Level(40);
    /// The program itself may not go on.
    pub const CRITICAL: Level = Level(50);
}

impl Level {
    /// The name that records carry: `INFO`, the name that [`add_level_name`] gave, or `Level 25` for a level
    /// without one.
    ///
    /// ```
    /// use duramen::Level;
    ///
    /// assert_eq!(&*Level::INFO.name(), "INFO");
    /// assert_eq!(Level(26).name().to_string(), "Level 26");
    /// ```
    #[inline]
    pub fn name(self) -> LevelName {
        let standard = match self {
            Self::NOTSET => "NOTSET",
            Self::DEBUG => "DEBUG",
            Self::INFO => "INFO",
            Self::WARNING => "WARNING",
            Self::ERROR => "ERROR",
            Self::CRITICAL => "CRITICAL",
            _ => "",
        };
        if standard.is_empty() || HAS_OWN_NAMES.load(Ordering::Acquire) {
            self.own_name(standard)
        } else {
            LevelName(Text::Static(standard))
        }
    }

    #[cold]
    fn own_name(self, standard: &'static str) -> LevelName {
        LevelName(match OWN_NAMES.read().by_level.get(&self) {
            Some(name) => Text::Shared(Arc::clone(name)),
            None if standard.is_empty() => Text::Shared(format!("Level {}", self.0).into()),
            None => Text::Static(standard),
        })
    }
}

/// The least severe level that calls are compiled for: what the features `max_level_…` and, without debug assertions,
/// `release_max_level_…` say. Calls by the macros below it are not in the program. Without such a feature all are; of
/// several, as crates of one program may ask for, the one that lets most through holds.
///
/// ```
/// assert!(duramen::level::is_compiled(duramen::Level::CRITICAL)); // unless the feature max_level_off is on
/// ```
pub const COMPILED: Level = {
    let in_all_profiles = if cfg!(feature = "max_level_trace") {
        Level(i64::MIN)
    } else if cfg!(feature = "max_level_debug") {
        Level::DEBUG
    } else if cfg!(feature = "max_level_info") {
        Level::INFO
    } else if cfg!(feature = "max_level_warning") {
        Level::WARNING
    } else if cfg!(feature = "max_level_error") {
        Level::ERROR
    } else if cfg!(feature = "max_level_critical") {
        Level::CRITICAL
    } else if cfg!(feature = "max_level_off") {
        Level(i64::MAX)
    } else {
        Level(i64::MIN)
    };
    let in_release = if cfg!(debug_assertions) || cfg!(feature = "release_max_level_trace") {
        Level(i64::MIN)
    } else if cfg!(feature = "release_max_level_debug") {
        Level::DEBUG
    } else if cfg!(feature = "release_max_level_info") {
        Level::INFO
    } else if cfg!(feature = "release_max_level_warning") {
        Level::WARNING
    } else if cfg!(feature = "release_max_level_error") {
        Level::ERROR
    } else if cfg!(feature = "release_max_level_critical") {
        Level::CRITICAL
    } else if cfg!(feature = "release_max_level_off") {
        Level(i64::MAX)
    } else {
        Level(i64::MIN)
    };
    if in_all_profiles.0 > in_release.0 { in_all_profiles } else { in_release }
};

/// Whether calls at `level` are in the program: [`COMPILED`].
///
/// ```
/// use duramen::{Level, level::is_compiled};
///
/// assert_eq!(is_compiled(Level::CRITICAL), Level::CRITICAL >= duramen::level::COMPILED);
/// ```
#[inline]
#[allow(clippy::absurd_extreme_comparisons, reason = "it is one only where no feature names a level")]
pub const fn is_compiled(level: Level) -> bool {
    level.0 >= COMPILED.0
}

/// The level of a name, `WARN` and `FATAL` and those of [`add_level_name`] included, or of a number.
///
/// ```
/// use duramen::Level;
///
/// assert_eq!("WARNING".parse(), Ok(Level::WARNING));
/// assert_eq!("25".parse(), Ok(Level(25)));
/// assert_eq!("LOUD".parse::<Level>().unwrap_err().to_string(), "unknown level: \"LOUD\"");
/// ```
impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(name: &str) -> Result<Self, UnknownLevel> {
        if let Some(level) = OWN_NAMES.read().by_name.get(name) {
            return Ok(*level);
        }
        let standard = STANDARD_NAMES.iter().chain(&ALIASES).find(|(standard, _)| *standard == name);
        match standard {
            Some((_, level)) => Ok(*level),
            None => name.parse().map(Level).map_err(|_| UnknownLevel(name.to_owned())),
        }
    }
}

/// Neither the name of a level nor a number.
///
/// ```
/// use duramen::Level;
///
/// let error = "LOUD".parse::<Level>().unwrap_err();
/// assert_eq!(error.to_string(), "unknown level: \"LOUD\"");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown level: {0:?}")]
pub struct UnknownLevel(String);

/// A level's name at one moment: text, which a later [`add_level_name`] does not change.
///
/// ```
/// use duramen::Level;
///
/// let name = Level::ERROR.name();
/// assert_eq!(format!("{name:<8}|"), "ERROR   |");
/// assert_eq!(name.len(), 5); // it is a `&str` where one is asked for
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelName(Text);

#[derive(Clone, Debug)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Shared(text) => text,
        }
    }
}

impl Deref for LevelName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LevelName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self)
    }
}

const STANDARD_NAMES: [(&str, Level); 6] = [
    ("NOTSET", Level::NOTSET),
    ("DEBUG", Level::DEBUG),
    ("INFO", Level::INFO),
    ("WARNING", Level::WARNING),
    ("ERROR", Level::ERROR),
    ("CRITICAL", Level::CRITICAL),
];

/// Further names that mean a level, as in Python.
const ALIASES: [(&str, Level); 2] = [("WARN", Level::WARNING), ("FATAL", Level::CRITICAL)];

/// The names that the program has given, which go before the standard ones.
struct OwnNames {
    by_level: BTreeMap<Level, Arc<str>>,
    by_name: BTreeMap<String, Level>,
}

static OWN_NAMES: RwLock<OwnNames> =
    RwLock::new(OwnNames { by_level: BTreeMap::new(), by_name: BTreeMap::new() });

/// False as long as a record need not look for names of the program's own.
static HAS_OWN_NAMES: AtomicBool = AtomicBool::new(false);

/// Gives `level` a name, in the whole program: Python's `addLevelName`. Records made from now on carry it;
/// names that meant the level before still do when they are read.
///
/// ```
/// use duramen::{Level, level::add_level_name};
///
/// const NOTICE: Level = Level(25);
/// add_level_name(NOTICE, "NOTICE");
/// assert_eq!(&*NOTICE.name(), "NOTICE");
/// assert_eq!("NOTICE".parse(), Ok(NOTICE));
/// ```
pub fn add_level_name(level: Level, name: &str) {
    let mut names = OWN_NAMES.write();
    names.by_level.insert(level, name.into());
    names.by_name.insert(name.to_owned(), level);
    HAS_OWN_NAMES.store(true, Ordering::Release);
}

/// All names that mean a level, with their levels: Python's `getLevelNamesMapping`.
///
/// ```
/// use duramen::{Level, level::level_names};
///
/// assert_eq!(level_names().get("FATAL"), Some(&Level::CRITICAL));
/// ```
pub fn level_names() -> BTreeMap<String, Level> {
    let standard = STANDARD_NAMES.iter().chain(&ALIASES).map(|(name, level)| ((*name).to_owned(), *level));
    let own = OWN_NAMES.read().by_name.clone();
    standard.chain(own).collect()
}
