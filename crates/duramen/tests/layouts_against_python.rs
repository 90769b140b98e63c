//! Generated layouts and records give the bytes that the interpreter gives, or are left to it.
//!
//! Needs `python3` on the path. The cases are the same in every run; `PROPTEST_CASES` sets how many.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use duramen::formatter::{Layout, UnsupportedLayout, brace, dollar, percent};
use duramen::record::Caller;
use duramen::{Level, Record};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

/// The interpreter, which renders one layout after another.
struct Interpreter {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Interpreter {
    fn start() -> Self {
        let mut child = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/render_layouts.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the tests need python3 on the path");
        let requests = child.stdin.take().expect("its standard input");
        let answers = BufReader::new(child.stdout.take().expect("its standard output"));
        Self { child, requests, answers }
    }

    /// The bytes, or the exception as text.
    fn render(&mut self, style: &str, format: &str, case: &Case) -> Result<Vec<u8>, String> {
        writeln!(self.requests, "{style} {} {}", hex(format.as_bytes()), case.request()).expect("it reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        match answer.trim_end_matches('\n').split_once(' ') {
            Some(("text", text)) => Ok(from_hex(text)),
            Some(("error", error)) => Err(error.to_owned()),
            _ => panic!("the interpreter answered {answer:?}"),
        }
    }
}

impl Drop for Interpreter {
    fn drop(&mut self) {
        // A child that has ended already needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("memory");
        text
    })
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

/// The values of a record that are generated; the other texts are the same in all.
#[derive(Clone, Debug)]
struct Case {
    message: String,
    name: String,
    level: i64,
    created_ns: i64,
    relative_created_ms: f64,
    line: u32,
    thread: Option<u64>,
    thread_name: Option<String>,
    process: Option<u32>,
}

const ASCTIME: &str = "2024-03-01 12:00:00,123";

impl Case {
    fn record(&self) -> Record<'_> {
        Record {
            name: &self.name,
            level: Level(self.level),
            level_name: "WARNING",
            message: &self.message,
            created_ns: self.created_ns,
            relative_created_ms: self.relative_created_ms,
            caller: Caller {
                pathname: "/srv/größe.py",
                filename: "größe.py",
                module: "größe",
                line: self.line,
                function: "<module>",
            },
            thread: self.thread,
            thread_name: self.thread_name.as_deref(),
            process: self.process,
            process_name: None,
            task_name: Some("Task-1"),
            fields: &[],
            exception: None,
            stack: None,
        }
    }

    fn request(&self) -> String {
        let text = |text: &str| format!("t{}", hex(text.as_bytes()));
        let number = |number: Option<u64>| number.map_or("n".to_owned(), |number| format!("i{number}"));
        [
            ("name", text(&self.name)),
            ("levelno", format!("i{}", self.level)),
            ("levelname", text("WARNING")),
            ("pathname", text("/srv/größe.py")),
            ("filename", text("größe.py")),
            ("module", text("größe")),
            ("lineno", format!("i{}", self.line)),
            ("funcName", text("<module>")),
            ("created_ns", format!("i{}", self.created_ns)),
            ("asctime", text(ASCTIME)),
            ("relativeCreated", format!("f{:016x}", self.relative_created_ms.to_bits())),
            ("thread", number(self.thread)),
            ("threadName", self.thread_name.as_deref().map_or("n".to_owned(), text)),
            ("process", number(self.process.map(u64::from))),
            ("processName", "n".to_owned()),
            ("taskName", text("Task-1")),
            ("message", text(&self.message)),
        ]
        .map(|(name, value)| format!("{name}={value}"))
        .join(",")
    }
}

fn cases() -> impl Strategy<Value = Case> {
    let level = prop_oneof![3 => prop::sample::select(vec![0_i64, 10, 20, 25, 50]), 1 => any::<i64>()];
    // Times of this century, and all others.
    let created =
        prop_oneof![3 => 1_000_000_000_000_000_000..2_000_000_000_000_000_000_i64, 1 => any::<i64>()];
    let relative = prop_oneof![3 => 0.0..1e9, 1 => any::<f64>(), 1 => Just(0.5), 1 => Just(-0.0)];
    let thread = prop::option::of(prop_oneof![0..100_000_u64, any::<u64>()]);
    (
        (".{0,12}", "[a-zé.\u{1F600}]{0,8}", level, created, relative),
        (any::<u32>(), thread, prop::option::of("[A-Zaé]{0,6}"), prop::option::of(any::<u32>())),
    )
        .prop_map(|((message, name, level, created_ns, relative_created_ms), rest)| {
            let (line, thread, thread_name, process) = rest;
            Case { message, name, level, created_ns, relative_created_ms, line, thread, thread_name, process }
        })
}

fn field() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "name",
        "levelno",
        "levelname",
        "pathname",
        "filename",
        "module",
        "lineno",
        "funcName",
        "created",
        "asctime",
        "msecs",
        "relativeCreated",
        "thread",
        "threadName",
        "process",
        "processName",
        "taskName",
        "message",
    ])
}

/// Text between the fields, with characters that mean something in one of the styles.
fn literal() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z :|é\n\0]{0,4}", 1 => "[a-z{}%$()!<:é_ 0-9.]{0,5}"]
}

fn layouts(pieces: impl Strategy<Value = String>, escape: &'static str) -> impl Strategy<Value = String> {
    let piece = prop_oneof![5 => pieces, 4 => literal(), 1 => Just(escape.to_owned())];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn percent_layouts() -> impl Strategy<Value = String> {
    let conversion = prop_oneof![6 => "[sdf]", 1 => "[iuFeEgGxXorac%hl]"];
    let piece = (field(), "[-+ 0]{0,3}|#", "(|[0-9]{1,2}|\\*)", "(|\\.|\\.[0-9]{1,2})", conversion);
    layouts(
        piece.prop_map(|(field, flags, width, precision, conversion)| {
            format!("%({field}){flags}{width}{precision}{conversion}")
        }),
        "%%",
    )
}

fn brace_layouts() -> impl Strategy<Value = String> {
    let specification = (
        "(|[<>^]|[*é0{}: <][<>^=])",
        "(|[-+ ])",
        "(|0|0|#|z)",
        "(|[0-9]{1,2})",
        "(|,|_|\\.[0-9]{1,2}|\\.)",
        prop_oneof![4 => "(|[sdf])", 1 => "[eEgGnxXobc%F]"],
    );
    let conversion = prop_oneof![6 => "", 1 => "![rsa]"];
    let written = specification.prop_map(|(align, sign, zero, width, precision, form)| {
        format!(":{align}{sign}{zero}{width}{precision}{form}")
    });
    let piece = (field(), conversion, prop_oneof![1 => Just(String::new()), 3 => written]);
    layouts(piece.prop_map(|(field, conversion, rest)| format!("{{{field}{conversion}{rest}}}")), "{{")
}

fn dollar_layouts() -> impl Strategy<Value = String> {
    let piece = (field(), any::<bool>())
        .prop_map(|(field, braced)| if braced { format!("${{{field}}}") } else { format!("${field}") });
    layouts(piece, "$$")
}

/// Checks generated layouts of a style. What is refused is left to the interpreter, but too much of that
/// would make the test say nothing.
fn check(
    style: &str,
    compile: fn(&str) -> Result<Layout, UnsupportedLayout>,
    layouts: impl Strategy<Value = String>,
) {
    let interpreter = RefCell::new(Interpreter::start());
    let (rendered, tried) = (RefCell::new(0_u32), RefCell::new(0_u32));
    // The failures are printed; there is no file to keep them in.
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&(layouts, cases()), |(format, case)| {
        *tried.borrow_mut() += 1;
        let Ok(layout) = compile(&format) else { return Ok(()) };
        let mut out = b"before".to_vec();
        if layout.render(&case.record(), ASCTIME, &mut out).is_err() {
            prop_assert_eq!(out, b"before");
            return Ok(());
        }
        *rendered.borrow_mut() += 1;
        let expected = interpreter.borrow_mut().render(style, &format, &case);
        let expected = expected.map(|text| String::from_utf8_lossy(&text).into_owned());
        prop_assert_eq!(Ok(String::from_utf8_lossy(&out[6..]).into_owned()), expected, "{:?}", format);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let (rendered, tried) = (rendered.into_inner(), tried.into_inner());
    assert!(rendered * 4 > tried, "only {rendered} of {tried} layouts were rendered");
}

#[test]
fn percent_layouts_render_as_the_interpreter_does() {
    check("percent", percent::compile, percent_layouts());
}

#[test]
fn brace_layouts_render_as_the_interpreter_does() {
    check("brace", brace::compile, brace_layouts());
}

#[test]
fn dollar_layouts_render_as_the_interpreter_does() {
    check("dollar", dollar::compile, dollar_layouts());
}
