//! The native way: a record that stays a Rust value from the logging call to the stream.

use duramen::formatter::Field;
use duramen::record::Caller;
use duramen::{Level, Record};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString, PyTuple};

use crate::record::Creation;
use crate::route::{self, Rendering, Target};
use crate::{asctime, caller, classes, fields, globals, handler, interpreter, logger, record};

/// Sends the record natively if everything that it meets is ours and untouched. `false`: nothing has
/// been done, and the Python way has to be taken.
pub(crate) fn emit_natively<'py>(
    logger: &Bound<'py, PyAny>,
    level: &Bound<'py, PyAny>,
    message: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<bool> {
    let Some(options) = Options::of(keywords)? else { return Ok(false) };
    // A subclass of `int` may have a text of its own.
    let Ok(level_number) = level.cast_exact::<PyInt>().map(|level| level.extract::<i64>()) else {
        return Ok(false);
    };
    let Ok(level_number) = level_number else { return Ok(false) };
    let Ok(targets) = route::targets(logger, level_number)? else { return Ok(false) };
    if targets.is_empty() {
        return Ok(true);
    }
    let Some(event) = Event::gather(logger, level, message, arguments, options, &targets)? else {
        return Ok(false);
    };
    // Text that is not UTF-8 (lone surrogates) only the Python way carries.
    let Some(texts) = event.texts() else { return Ok(false) };
    let record = event.record(level_number, &texts);
    for target in &targets {
        event.write_to(target, &record)?;
    }
    Ok(true)
}

/// The keywords of a logging call that the native way knows.
#[derive(Default)]
struct Options<'py> {
    extra: Option<Bound<'py, PyDict>>,
    /// The triple of an exception, or `None`.
    exception: Option<Bound<'py, PyAny>>,
}

impl<'py> Options<'py> {
    /// `None` for keywords that only the Python way knows, and for an `extra` that it refuses.
    fn of(keywords: Option<&Bound<'py, PyDict>>) -> PyResult<Option<Self>> {
        let mut options = Self::default();
        let Some(keywords) = keywords else { return Ok(Some(options)) };
        let py = keywords.py();
        for (name, value) in keywords.iter() {
            if name.eq(intern!(py, "extra"))? {
                let Ok(extra) = value.cast_into_exact::<PyDict>() else { return Ok(None) };
                for key in extra.keys() {
                    match key.cast_exact::<PyString>().map(|key| key.to_str()) {
                        Ok(Ok(key)) if fields::is_free_name(key) => {}
                        _ => return Ok(None),
                    }
                }
                options.extra = Some(extra);
            } else if name.eq(intern!(py, "exc_info"))? {
                let exception = logger::exception_triple(&value)?;
                let usual = exception.cast_exact::<PyTuple>().is_ok_and(|triple| triple.len() == 3);
                if exception.is_truthy()? {
                    if !usual {
                        return Ok(None);
                    }
                    options.exception = Some(exception);
                }
            } else {
                return Ok(None);
            }
        }
        Ok(Some(options))
    }
}

/// What a logging call hands to the native way, as Python objects that the record borrows from.
struct Event<'a, 'py> {
    logger: &'a Bound<'py, PyAny>,
    level: &'a Bound<'py, PyAny>,
    template: &'a Bound<'py, PyAny>,
    arguments: &'a Bound<'py, PyTuple>,
    name: Bound<'py, PyString>,
    level_name: Bound<'py, PyString>,
    message: Bound<'py, PyString>,
    created: Creation,
    site: Option<Site<'py>>,
    thread: Option<(u64, Bound<'py, PyString>)>,
    process: Option<u32>,
    process_name: Option<Bound<'py, PyString>>,
    task_name: Option<Bound<'py, PyString>>,
    options: Options<'py>,
    exception: Option<Bound<'py, PyString>>,
}

struct Site<'py> {
    path: Bound<'py, PyString>,
    file: Bound<'py, PyString>,
    module: Bound<'py, PyString>,
    line: u32,
    function: Bound<'py, PyString>,
}

/// The texts of an event as UTF-8, borrowed from the Python objects.
struct Texts<'a> {
    name: &'a str,
    level_name: &'a str,
    message: &'a str,
    caller: Caller<'a>,
    thread_name: Option<&'a str>,
    process_name: Option<&'a str>,
    task_name: Option<&'a str>,
    exception: Option<&'a str>,
}

impl<'a, 'py> Event<'a, 'py> {
    /// `None` when a part is of a kind that only the Python way carries, or fails: it is evaluated
    /// there again, and its error is reported where CPython reports it.
    fn gather(
        logger: &'a Bound<'py, PyAny>,
        level: &'a Bound<'py, PyAny>,
        template: &'a Bound<'py, PyAny>,
        arguments: &'a Bound<'py, PyTuple>,
        options: Options<'py>,
        targets: &[Target<'py>],
    ) -> PyResult<Option<Self>> {
        let py = logger.py();
        let created = Creation::now(py)?;
        let Ok(name) = logger.getattr(intern!(py, "name"))?.cast_into_exact::<PyString>() else {
            return Ok(None);
        };
        let Some(level_name) = level_name(level)? else { return Ok(None) };
        let Some(message) = merged(template, arguments)? else { return Ok(None) };
        let uses = |field| targets.iter().any(|target| target.rendering.uses(field));
        let mut event = Self {
            logger,
            level,
            template,
            arguments,
            name,
            level_name,
            message,
            created,
            site: None,
            thread: None,
            process: None,
            process_name: None,
            task_name: None,
            options,
            exception: None,
        };
        if !event.fill(uses)? {
            return Ok(None);
        }
        match event.fill_exception(&targets[0].formatter) {
            Ok(()) => Ok(Some(event)),
            Err(error) if classes::is_ordinary(py, &error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for what the layouts use and no more; `false` when a part is not of the usual kind.
    fn fill(&mut self, uses: impl Fn(Field) -> bool) -> PyResult<bool> {
        let py = self.logger.py();
        if [Field::Pathname, Field::Filename, Field::Module, Field::Lineno, Field::FuncName]
            .into_iter()
            .any(&uses)
        {
            self.site = Some(match site(py)? {
                Some(site) => site,
                None => return Ok(false),
            });
        }
        if uses(Field::Thread) || uses(Field::ThreadName) {
            let (identifier, name) = record::thread(py)?;
            if !identifier.is_none() {
                let (Ok(identifier), Ok(name)) = (identifier.extract(), name.cast_into_exact()) else {
                    return Ok(false);
                };
                self.thread = Some((identifier, name));
            }
        }
        if uses(Field::Process) {
            self.process = record::process(py)?.extract()?;
        }
        for (field, value, ask) in [
            (Field::ProcessName, &mut self.process_name, record::process_name as fn(_) -> _),
            (Field::TaskName, &mut self.task_name, record::task_name),
        ] {
            if uses(field) {
                let name: Bound<'py, PyAny> = ask(py)?;
                if !name.is_none() {
                    let Ok(name) = name.cast_into_exact() else { return Ok(false) };
                    *value = Some(name);
                }
            }
        }
        Ok(true)
    }

    /// The text of the exception.
    fn fill_exception(&mut self, formatter: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = self.logger.py();
        if let Some(exception) = &self.options.exception {
            let text = formatter.call_method1(intern!(py, "formatException"), (exception,))?;
            self.exception = Some(text.cast_into_exact::<PyString>()?);
        }
        Ok(())
    }

    fn texts(&self) -> Option<Texts<'_>> {
        let (path, line, function) = caller::UNKNOWN;
        let caller = match &self.site {
            None => Caller {
                pathname: path,
                filename: path,
                module: path,
                line: u32::try_from(line).unwrap_or(0),
                function,
            },
            Some(site) => Caller {
                pathname: site.path.to_str().ok()?,
                filename: site.file.to_str().ok()?,
                module: site.module.to_str().ok()?,
                line: site.line,
                function: site.function.to_str().ok()?,
            },
        };
        Some(Texts {
            name: self.name.to_str().ok()?,
            level_name: self.level_name.to_str().ok()?,
            message: self.message.to_str().ok()?,
            caller,
            thread_name: optional_text(self.thread.as_ref().map(|(_, name)| name))?,
            process_name: optional_text(self.process_name.as_ref())?,
            task_name: optional_text(self.task_name.as_ref())?,
            exception: optional_text(self.exception.as_ref())?,
        })
    }

    fn record<'t>(&self, level: i64, texts: &'t Texts<'t>) -> Record<'t> {
        Record {
            name: texts.name,
            level: Level(level),
            level_name: texts.level_name,
            message: texts.message,
            created_ns: self.created.nanoseconds(),
            relative_created_ms: self.created.since_start_milliseconds,
            caller: texts.caller,
            thread: self.thread.as_ref().map(|(identifier, _)| *identifier),
            thread_name: texts.thread_name,
            process: self.process,
            process_name: texts.process_name,
            task_name: texts.task_name,
            // Written from the Python values, where they are shown.
            fields: &[],
            exception: texts.exception.filter(|text| !text.is_empty()),
            stack: None,
        }
    }

    /// Formats and writes under the handler's lock; an error goes to the handler's `handleError`.
    fn write_to(&self, target: &Target<'py>, record: &Record<'_>) -> PyResult<()> {
        let py = self.logger.py();
        let locked = !target.lock.is_none();
        if locked {
            target.lock.call_method0(intern!(py, "acquire"))?;
        }
        let result = self.format_and_write(target, record).or_else(|error| {
            handler::error::guarded_with(&target.handler, || self.python_record(record), error)
        });
        if locked {
            target.lock.call_method0(intern!(py, "release"))?;
        }
        result
    }

    fn format_and_write(&self, target: &Target<'py>, record: &Record<'_>) -> PyResult<()> {
        let py = self.logger.py();
        let mut line = Vec::with_capacity(256);
        let time = if target.rendering.uses(Field::Asctime) {
            Some(asctime::text(target, &self.created)?)
        } else {
            None
        };
        let time = time.as_deref().unwrap_or_default();
        match &target.rendering {
            Rendering::Structured(layout) => {
                let (extra, exception) = (self.options.extra.as_ref(), self.options.exception.as_ref());
                layout.get().write(record, time, extra, exception, &mut line)?;
            }
            Rendering::Layout(layout) => {
                if layout.render(record, time, &mut line).is_err() {
                    return self.hand_over(target, record);
                }
                append_exception(record, &mut line);
            }
        }
        target.kind.prepare(&target.handler, &line)?;
        line.extend_from_slice(target.terminator.to_str()?.as_bytes());
        let stream = target.handler.getattr(intern!(py, "stream"))?;
        if stream.is_none() {
            // A closed handler that would empty its file by opening it.
            return Ok(());
        }
        stream.call_method1(intern!(py, "write"), (PyString::from_bytes(py, &line)?,))?;
        if let Some(flush) = stream.getattr_opt(intern!(py, "flush"))? {
            flush.call0()?;
        }
        Ok(())
    }

    /// For a value that the layout cannot render: the handler's own `emit` with the record in Python form.
    fn hand_over(&self, target: &Target<'py>, record: &Record<'_>) -> PyResult<()> {
        let py = self.logger.py();
        target.handler.call_method1(intern!(py, "emit"), (self.python_record(record)?,)).map(drop)
    }

    /// The same event as a `LogRecord`, for `handleError`.
    fn python_record(&self, record: &Record<'_>) -> PyResult<Bound<'py, PyAny>> {
        let py = self.logger.py();
        let site = match &self.site {
            Some(_) => None,
            None => site(py)?,
        };
        let (path, line, function) = match self.site.as_ref().or(site.as_ref()) {
            Some(site) => (site.path.to_str()?, i64::from(site.line), site.function.to_str()?),
            None => caller::UNKNOWN,
        };
        let made = globals::get(py, intern!(py, "_logRecordFactory"))?.call1((
            record.name,
            self.level,
            path,
            line,
            self.template,
            self.arguments,
            &self.options.exception,
            function,
        ))?;
        if let Some(extra) = &self.options.extra {
            made.getattr(intern!(py, "__dict__"))?.call_method1(intern!(py, "update"), (extra,))?;
        }
        Ok(made)
    }
}

/// The exception below the message, as `Formatter.format` puts it.
fn append_exception(record: &Record<'_>, line: &mut Vec<u8>) {
    if let Some(exception) = record.exception {
        if line.last() != Some(&b'\n') {
            line.push(b'\n');
        }
        line.extend_from_slice(exception.as_bytes());
    }
}

/// `None` when the text has no UTF-8 form.
#[expect(clippy::option_option, reason = "absent and unusable are two things")]
fn optional_text<'a>(text: Option<&'a Bound<'_, PyString>>) -> Option<Option<&'a str>> {
    match text {
        Some(text) => text.to_str().ok().map(Some),
        None => Some(None),
    }
}

fn level_name<'py>(level: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyString>>> {
    let py = level.py();
    let names = globals::get(py, intern!(py, "_levelToName"))?;
    let Ok(names) = names.cast_exact::<PyDict>() else { return Ok(None) };
    Ok(names.get_item(level)?.and_then(|name| name.cast_into_exact().ok()))
}

/// The message with its arguments.
fn merged<'py>(
    template: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
) -> PyResult<Option<Bound<'py, PyString>>> {
    let Ok(text) = template.cast_exact::<PyString>() else { return Ok(None) };
    if arguments.is_empty() {
        return Ok(Some(text.clone()));
    }
    let only_may_be_mapping = arguments.len() == 1 && !record::is_plain_value(&arguments.get_item(0)?);
    let result = if only_may_be_mapping {
        record::unwrapped_mapping(arguments.as_any()).and_then(|values| record::merge(text, &values))
    } else {
        interpreter::percent_format(text, arguments.as_any())
    };
    match result {
        Ok(merged) => Ok(merged.cast_into_exact().ok()),
        Err(error) if classes::is_ordinary(text.py(), &error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where the logging call stands; `None` when that is not known or not of the usual kind.
fn site(py: Python<'_>) -> PyResult<Option<Site<'_>>> {
    if !globals::is_true(py, intern!(py, "_srcfile"))? {
        return Ok(None);
    }
    let found = caller::in_log(py, || caller::find_frame(py, PyInt::new(py, 1).as_any()))?;
    let Some(frame) = found else { return Ok(None) };
    let code = interpreter::frame_code(&frame);
    let path = code.getattr(intern!(py, "co_filename"))?;
    let (file, module) = record::file_and_module(&path)?;
    let function = code.getattr(intern!(py, "co_name"))?;
    let (Ok(path), Ok(file), Ok(module), Ok(function)) = (
        path.cast_into_exact(),
        file.cast_into_exact(),
        module.cast_into_exact(),
        function.cast_into_exact(),
    ) else {
        return Ok(None);
    };
    Ok(Some(Site { path, file, module, line: interpreter::frame_line(&frame), function }))
}
