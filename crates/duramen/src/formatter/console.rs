//! Console output: for people, in color where that is wanted.

use crate::{Level, Record};

const RESET: &str = "\x1b[0m";
const DIM: &str = "\x1b[2m";

/// Appends `record` as one line for a terminal: time, level, logger, message, extra fields; below it the
/// exception and the stack, if any.
///
/// `asctime` is the creation time as text. Control characters of the message are escaped, so that a
/// message can neither forge a line nor drive the terminal; those of the exception and the stack are too,
/// except the line breaks and tabs that they are made of.
pub fn write(record: &Record<'_>, asctime: &str, color: bool, out: &mut Vec<u8>) {
    painted(asctime, color.then_some(DIM), out);
    out.push(b' ');
    painted(&format!("{:<8}", record.level_name), color.then(|| color_of(record.level)), out);
    out.push(b' ');
    painted(record.name, color.then_some("\x1b[34m"), out);
    out.extend_from_slice(b": ");
    write_escaped(record.message, out);
    for (key, value) in record.fields {
        out.push(b' ');
        painted(key, color.then_some(DIM), out);
        out.push(b'=');
        write_escaped(&value.to_string(), out);
    }
    for text in [record.exception, record.stack].into_iter().flatten() {
        for line in text.split('\n') {
            out.push(b'\n');
            for (index, part) in line.split('\t').enumerate() {
                if index > 0 {
                    out.push(b'\t');
                }
                write_escaped(part, out);
            }
        }
    }
}

fn painted(text: &str, color: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(color.unwrap_or_default().as_bytes());
    write_escaped(text, out);
    out.extend_from_slice(color.map_or("", |_| RESET).as_bytes());
}

/// The color of a level: that of the nearest standard level at or below it.
fn color_of(level: Level) -> &'static str {
    if level >= Level::CRITICAL {
        "\x1b[1;41;97m"
    } else if level >= Level::ERROR {
        "\x1b[1;31m"
    } else if level >= Level::WARNING {
        "\x1b[33m"
    } else if level >= Level::INFO {
        "\x1b[32m"
    } else {
        "\x1b[36m"
    }
}

/// Control characters as `\n`, `\t`, `\x1b` and so on; all else as it is.
fn write_escaped(text: &str, out: &mut Vec<u8>) {
    for character in text.chars() {
        if character.is_control() {
            match character {
                '\n' | '\r' | '\t' => out.extend(character.escape_default().map(|escaped| escaped as u8)),
                _ => out.extend_from_slice(format!("\\x{:02x}", u32::from(character)).as_bytes()),
            }
        } else {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{write, write_escaped};
    use crate::record::Caller;
    use crate::{Level, Record};

    #[test]
    fn control_characters_cannot_drive_the_terminal() {
        let mut out = Vec::new();
        write_escaped("a\nb\x1b[2J\u{9b}é", &mut out);
        assert_eq!(String::from_utf8(out).expect("UTF-8"), "a\\nb\\x1b[2J\\x9bé");
    }
    #[test]
    fn a_traceback_keeps_its_lines_and_cannot_drive_the_terminal() {
        let record = Record {
            name: "app",
            level: Level::ERROR,
            level_name: "ERROR",
            message: "failed",
            created_ns: 0,
            relative_created_ms: 0.0,
            caller: Caller::of_source("src/main.rs", 7, "app"),
            thread: None,
            thread_name: None,
            process: None,
            process_name: None,
            task_name: None,
            fields: &[],
            exception: Some("Traceback:\n\tf()\nValueError: \x1b[2Jgone\r"),
            stack: None,
        };
        let mut out = Vec::new();
        write(&record, "12:00:00", false, &mut out);
        let expected = "12:00:00 ERROR    app: failed\nTraceback:\n\tf()\nValueError: \\x1b[2Jgone\\r";
        assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
    }
}
